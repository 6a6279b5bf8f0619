import type { Lease } from '../../protocol/bbx/lease.ts';
import type { MessageOf, WorkerMessage } from '../../protocol/bbx/messages.ts';
import type { Running, RunningBuilds } from './running.ts';
import type { Worker } from './workers/roster.ts';

/** What a worker that comes back still has, beside what the master thinks that it has. */
export interface Adoption {
  /** They go on. */
  kept: Running[];
  /** Of what it brings it must drop these. */
  foreign: { lease: Lease; why: string }[];
  /** It does not have them (any more). */
  missing: Running[];
}

/** Compares the inventory of a worker with the builds that it carries; `epoch` is the store's. */
export function compareInventory(
  brought: MessageOf<WorkerMessage, 'inventory'>['builds'],
  { worker, running, epoch }: { worker: Worker; running: RunningBuilds; epoch: string },
): Adoption {
  const kept = new Set<Running>();
  const foreign: Adoption['foreign'] = [];
  for (const { build: buildid, token, epoch: ofLife } of brought) {
    const lease = { build: buildid, token };
    if (ofLife !== epoch) {
      foreign.push({ lease, why: 'it is of another life of the store' });
      continue;
    }
    const build = running.held(lease);
    if (build?.worker === worker) kept.add(build);
    else foreign.push({ lease, why: 'this try at the build is over' });
  }
  const missing = running.of(worker).filter((build) => !kept.has(build));
  return { kept: [...kept], foreign, missing };
}

import { buildPlan } from '../../../src/build/plan.ts';
import type { ProgressEvent } from '../../../src/build/progress.ts';
import { leaseKey, type Lease } from '../../../src/protocol/bbx/lease.ts';
import type { Job } from '../../../src/runtime/worker/job.ts';
import type { Jobs } from '../../../src/runtime/worker/jobs.ts';
import type { SpoolBuild } from '../../../src/runtime/worker/spool-build.ts';
import type { Spool } from '../../../src/runtime/worker/spool.ts';

const LOG_BYTES = 1_200;
const PLAN = buildPlan.parse({
  ...{ builder: 'b', number: 1, builddir: 'b' },
  steps: [{ kind: 'shell', name: 's', command: 'true' }],
});

/** A finished build of one step with a log, kept in memory: what a worker's sender reads of a spool. */
function memoryBuild(lease: Lease): SpoolBuild {
  const events: ProgressEvent[] = [
    { type: 'buildStarted', at: 1, workdir: '/w' },
    { type: 'stepStarted', at: 2, step: 0, name: 's' },
    {
      ...{ type: 'stepFinished', at: 3, step: 0, results: 0, state: 'finished' },
      ...{ logs: [{ name: 'stdio', bytes: LOG_BYTES, sha256: '' }], rc: 0, signal: null, properties: {} },
    },
    { type: 'buildFinished', at: 4, results: 0, state: 'build successful' },
  ];
  const log = {
    ...{ id: 1, step: 0, name: 'stdio', base: 0, size: LOG_BYTES },
    async *read(from: number) {
      for (let offset = from; offset < LOG_BYTES; offset += 400) {
        await Promise.resolve();
        const payload = Buffer.alloc(Math.min(400, LOG_BYTES - offset), 'x');
        yield { channel: 'stdout' as const, at: 2, offset, payload };
      }
    },
  };
  return {
    lease: { ...lease, epoch: 'e', orphanAfter: null, plan: PLAN },
    sequence: events.length,
    finished: true,
    logs: [log],
    event(sequence: number) {
      const event = events[sequence - 1];
      if (event === undefined) throw new Error(`event ${sequence} of ${events.length} was asked for`);
      return event;
    },
    watch: () => undefined,
    acknowledge: () => Promise.resolve(),
  } as unknown as SpoolBuild;
}

/** Jobs and spool of a worker that has these builds, without a disk and without commands. */
export function memoryJobs(leases: readonly Lease[]): { jobs: Jobs; spool: Spool } {
  const all = new Map<string, Job>();
  const put = (lease: Lease): Job => {
    const job: Job = { build: memoryBuild(lease), running: false, unfit: undefined };
    all.set(leaseKey(lease), job);
    return job;
  };
  for (const lease of leases) put(lease);
  let onDropped: ((lease: Lease) => void) | undefined;
  const jobs: Partial<Jobs> = {
    draining: false,
    get onDropped() {
      return onDropped;
    },
    set onDropped(listener) {
      onDropped = listener;
    },
    find: (lease) => all.get(leaseKey(lease)),
    assign: ({ build, token }) =>
      Promise.resolve(
        all.size > 4
          ? { accepted: false, why: 'all places are taken' }
          : { accepted: true, job: all.get(leaseKey({ build, token })) ?? put({ build, token }) },
      ),
    cancel: () => undefined,
    drop(lease) {
      if (all.delete(leaseKey(lease))) onDropped?.(lease);
      return Promise.resolve();
    },
    delivered(lease) {
      all.delete(leaseKey(lease));
      return Promise.resolve();
    },
    lost: () => undefined,
    adoptEpoch: () => Promise.resolve([]),
    inventory: () => leases.map(({ build, token }) => ({ build, token, epoch: 'e', state: 'finished' })),
  };
  const spool: Partial<Spool> = { notes: () => [], aside: [] };
  return { jobs: jobs as Jobs, spool: spool as Spool };
}

import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';
import { workerState } from './worker-list.ts';

export type WorkerOrder = 'approve' | 'pause' | 'resume' | 'drain' | 'remove';

const ROUTES = {
  approve: 'approveWorker',
  pause: 'pauseWorker',
  resume: 'resumeWorker',
  drain: 'drainWorker',
  remove: 'removeWorker',
} as const;

/** `bbx worker approve`, `pause`, `resume`, `drain`, `remove`: one call, and the worker as it is then. */
export async function orderWorker(
  context: Context,
  order: WorkerOrder,
  name: string,
  options: DirOptions,
): Promise<void> {
  await using client = openFarm(context, options);
  const worker = await client.call(ROUTES[order], { params: { worker: name } }, { signal: context.signal });
  answer(context, worker, (style, seen) =>
    [seen.name, workerState(seen, style), ...(seen.fingerprint === null ? [] : [seen.fingerprint])].join(
      '\t',
    ),
  );
}

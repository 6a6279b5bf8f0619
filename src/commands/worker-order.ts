import type { WorkerObject } from '../api/objects.ts';
import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, note } from './terminal/print.ts';
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
  if (order === 'approve' && !worker.connected) note(context, comingWords(worker));
}

/** One that waits for approval asks every 5 s (PENDING_AGAIN_S at the master), so that one which did not is not running. */
const ASKS_WITHIN_S = 15;

function comingWords({ name, last_seen_at }: WorkerObject): string {
  return last_seen_at !== null && Date.now() / 1000 - last_seen_at < ASKS_WITHIN_S
    ? `"${name}" asks again within 6 s and comes in then`
    : `"${name}" has not asked for a while; start it: bbx run worker`;
}

import type { WorkerObject } from '../api/objects.ts';
import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, table, type Column, type Style } from './terminal/print.ts';

/** The one word for how a worker is. */
export function workerState(worker: WorkerObject, style: Style): string {
  const { paint } = style;
  if (worker.state === 'pending') return paint.yellow('pending');
  if (worker.state !== 'approved') return paint.dim(worker.state);
  if (!worker.connected) return paint.red('away');
  if (worker.draining) return paint.yellow('draining');
  if (worker.paused) return paint.yellow('paused');
  return worker.attached ? paint.green('attached') : paint.yellow('connected');
}

/** How lists show workers. */
export const WORKER_COLUMNS: readonly Column<WorkerObject>[] = [
  { heading: 'WORKER', value: ({ name }) => name },
  { heading: 'STATE', value: workerState },
  { heading: 'BUILDS', value: ({ running, maxBuilds }) => `${running}/${maxBuilds}` },
  { heading: 'TAGS', value: ({ tags }) => tags.join(', ') || '-' },
  { heading: 'FROM', value: ({ peer }) => peer ?? '-' },
  {
    heading: 'SEEN',
    value: ({ connected, last_seen_at }, style) => (connected ? 'now' : style.time(last_seen_at)),
  },
  { heading: 'NOTES', value: ({ notes }) => notes.join('; ') || '-' },
];

/** `bbx worker list`. */
export async function listWorkers(context: Context, options: DirOptions): Promise<void> {
  await using client = openFarm(context, options);
  const workers = await client.call('workers', {}, { signal: context.signal });
  answer(context, workers, (_, list) =>
    list.length === 0 && context.stdout.isTTY
      ? 'No workers. Invite one: bbx worker add NAME'
      : table(context, WORKER_COLUMNS, list),
  );
}

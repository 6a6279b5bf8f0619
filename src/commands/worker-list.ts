import type { WorkerObject } from '../api/objects.ts';
import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, table, type Column, type Style } from './terminal/print.ts';

export interface ListWorkersOptions extends DirOptions {
  all?: boolean;
}

/** The one word for how a worker is. */
export function workerState(worker: WorkerObject, style: Style): string {
  const { paint } = style;
  if (worker.state === 'pending') return paint.yellow('pending');
  if (worker.state !== 'approved') return paint.dim(worker.state);
  if (!worker.connected) return paint.red('away');
  if (worker.draining) return paint.yellow(worker.running === 0 ? 'drained' : 'draining');
  if (worker.paused) return paint.yellow('paused');
  return worker.attached ? paint.green('attached') : paint.yellow('connected');
}

/** How lists show workers. */
/** When the master last heard of it: `now` for people, a time for programs. */
export function seenWord({ connected, last_seen_at }: WorkerObject, style: Style): string {
  if (connected) return style.short ? 'now' : new Date().toISOString();
  return style.time(last_seen_at);
}

export const WORKER_COLUMNS: readonly Column<WorkerObject>[] = [
  { heading: 'WORKER', value: ({ name }) => name },
  { heading: 'STATE', value: workerState },
  { heading: 'BUILDS', value: ({ running, maxBuilds }) => `${running}/${maxBuilds}` },
  { heading: 'TAGS', value: ({ tags }) => tags.join(', ') || '-' },
  { heading: 'FROM', value: ({ peer }) => peer ?? '-' },
  { heading: 'SEEN', value: seenWord },
  { heading: 'NOTES', value: ({ notes }) => notes.join('; ') || '-' },
];

/** `bbx worker list`; removed ones only with `all`. */
export async function listWorkers(context: Context, options: ListWorkersOptions): Promise<void> {
  await using client = openFarm(context, options);
  const known = await client.call('workers', {}, { signal: context.signal });
  const workers = options.all === true ? known : known.filter(({ state }) => state !== 'removed');
  answer(context, workers, (_, list) =>
    list.length === 0 && context.stdout.isTTY
      ? 'No workers. Invite one: bbx worker add NAME'
      : table(context, WORKER_COLUMNS, list),
  );
}

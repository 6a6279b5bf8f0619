import type { StatusObject } from '../api/objects.ts';
import { sleep } from '../base/abort.ts';
import { printDuration } from '../base/duration.ts';
import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import type { Client } from '../client/client.ts';
import { BUILD_COLUMNS } from './build-list.ts';
import { openFarm, type DirOptions } from './farm.ts';
import { findDirectory } from '../client/find-directory.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { answer, facts, table, type Column, type Style } from './terminal/print.ts';
import { createProgress } from './terminal/progress.ts';
import { span } from './terminal/span.ts';
import { WORKER_COLUMNS } from './worker-list.ts';
import { sourceWords } from './words.ts';

export interface StatusOptions extends DirOptions {
  wait?: number;
}

/** A try on a missing socket costs nothing; a script should go on at once when the master is there. */
const LOOK_AGAIN_MS = 200;

const REQUEST_COLUMNS: readonly Column<StatusObject['pending'][number]>[] = [
  { heading: 'WAITING', value: ({ buildrequestid }) => `r${buildrequestid}` },
  { heading: 'BUILDER', value: ({ builder }) => builder },
  { heading: 'SOURCE', value: (request, style) => sourceWords(request, style) },
  { heading: 'SINCE', value: ({ submitted_at }, style) => style.time(submitted_at) },
  { heading: 'REASON', value: ({ reason }) => reason || '-' },
];

/** `bbx status`: what runs, what waits, who is there, and what is wrong. */
export async function showStatus(context: Context, options: StatusOptions): Promise<void> {
  // A worker's directory has no farm to ask, and something to say itself.
  const found = findDirectory({ cwd: context.cwd, named: options.dir, roles: ['master', 'worker'] });
  if (found.role === 'worker') {
    const { showWorkerStatus } = await import('./status-worker.ts');
    return showWorkerStatus(context, found.dir);
  }
  await using client = openFarm(context, options);
  const status =
    options.wait === undefined
      ? await client.call('status', {}, { signal: context.signal })
      : await waitForMaster(context, client, options.wait);
  answer(context, status, (style, seen) =>
    context.stdout.isTTY ? page(context, style, seen) : lines(context, style, seen),
  );
}

async function waitForMaster(context: Context, client: Client, limitMs: number): Promise<StatusObject> {
  const limit = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([context.signal, limit]);
  using progress = createProgress(context);
  progress.wait('the master does not answer yet');
  let last = 'no answer yet';
  for (;;) {
    try {
      return await client.call('status', {}, { signal });
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof BbxError && error.exit === EXIT.unreachable) last = error.message;
      else if (!limit.aborted) throw error;
    }
    await sleep(LOOK_AGAIN_MS, signal).catch(() => undefined);
    context.signal.throwIfAborted();
    if (limit.aborted) {
      throw codes['BBX-WAIT-LIMIT']({
        what: `the master: ${last}`,
        limit: printDuration(limitMs),
        hint: 'Start it: bbx run master',
      });
    }
  }
}

function page(context: Context, style: Style, status: StatusObject): string {
  const { paint } = style;
  const up = span(Date.now() / 1000 - status.started_at);
  const { workers, web } = status.listening;
  const parts = [
    facts(context, [
      ['farm', `${paint.bold(status.title)}${status.draining ? paint.yellow(', draining') : ''}`],
      ['master', `bbx ${status.version}, up ${up}`],
      ['workers at', workers.join(', ') || 'nowhere'],
      ['web at', web.join(', ') || 'nowhere'],
      ['reached by', status.reach.join(', ') || '-'],
      ['config', `${status.config.file}, loaded ${style.time(status.config.loaded_at)}`],
    ]),
  ];
  if (status.config.error !== null) {
    parts.push(paint.red(`The configuration on disk is not at work: ${status.config.error}`));
  }
  if (status.config.changed && status.config.error === null) {
    parts.push(paint.yellow('The configuration on disk has changed since it was loaded: bbx config apply'));
  }
  parts.push(
    status.workers.length === 0
      ? 'No workers. Invite one: bbx worker add NAME'
      : table(context, WORKER_COLUMNS, status.workers),
  );
  if (status.lists.stale) {
    const { read_at } = status.lists;
    const when = read_at === null ? 'are not known yet' : `are those of ${style.time(read_at)}`;
    parts.push(paint.yellow(`What runs and what waits ${when}: the database does not answer`));
  }
  if (status.running.length > 0) parts.push(table(context, BUILD_COLUMNS, status.running));
  if (status.pending.length > 0) parts.push(table(context, REQUEST_COLUMNS, status.pending));
  for (const { subject, code, message, hint, since } of status.trouble) {
    parts.push(
      `${paint.red(subject)} ${message} ${paint.dim(`(${code}, ${style.time(since)})`)}${hint === undefined ? '' : `\n  ${hint}`}`,
    );
  }
  return parts.join('\n\n');
}

/** One line per fact, its kind first, for `grep` and `cut`. */
function lines(context: Context, style: Style, status: StatusObject): string {
  const rows = <Item>(kind: string, columns: readonly Column<Item>[], items: readonly Item[]) =>
    items.map((item) => `${kind}\t${table(context, columns, [item])}`);
  return [
    facts(context, [
      ['farm', status.title],
      ['version', status.version],
      ['started', style.time(status.started_at)],
      ['draining', String(status.draining)],
      ...status.listening.workers.map((address): [string, string] => ['listen-workers', address]),
      ...status.listening.web.map((address): [string, string] => ['listen-web', address]),
      ...status.reach.map((address): [string, string] => ['reach', address]),
      ['config', status.config.file],
      ...(status.config.changed ? [['config-changed', 'true'] as const] : []),
      ...(status.config.error === null ? [] : [['config-error', status.config.error] as const]),
    ]),
    ...rows('worker', WORKER_COLUMNS, status.workers),
    ...(status.lists.stale
      ? [`lists-of\t${status.lists.read_at === null ? '-' : style.time(status.lists.read_at)}`]
      : []),
    ...rows('running', BUILD_COLUMNS, status.running),
    ...rows('waiting', REQUEST_COLUMNS, status.pending),
    ...status.trouble.map(({ subject, code, message }) =>
      ['trouble', subject, code, message.replaceAll(/\s+/g, ' ')].join('\t'),
    ),
  ].join('\n');
}

import type { WorkerObject } from '../api/objects.ts';
import { sleep } from '../base/abort.ts';
import { printDuration } from '../base/duration.ts';
import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import type { Client } from '../client/client.ts';
import { openFarm, type DirOptions } from './farm.ts';
import { linkWords } from './link-words.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { answer, facts, type Style } from './terminal/print.ts';
import { createProgress } from './terminal/progress.ts';
import { span } from './terminal/span.ts';
import { seenWord, workerState } from './worker-list.ts';

export type AwaitedState = 'attached' | 'connected' | 'pending' | 'detached';

export interface ShowWorkerOptions extends DirOptions {
  wait?: AwaitedState;
  waitLimit: number;
}

/** Facts of the worker itself that the master has lines of its own for: its own tags are among those. */
const SHOWN_ABOVE = new Set(['tags', 'name', 'maxBuilds']);

/** A look costs a millisecond; a script that waits for a worker should go on at once when it is there. */
const LOOK_AGAIN_MS = 250;

/** `bbx worker show`: a worker; with `--wait` it waits for a state first. */
export async function showWorker(context: Context, name: string, options: ShowWorkerOptions): Promise<void> {
  await using client = openFarm(context, options);
  const worker =
    options.wait === undefined
      ? await client.call('worker', { params: { worker: name } }, { signal: context.signal })
      : await waitForWorker(context, client, name, options.wait, options.waitLimit);
  answer(context, worker, (style, seen) =>
    facts(context, [
      ['worker', style.paint.bold(seen.name)],
      ['state', workerState(seen, style)],
      ['builds', `${seen.running} of ${seen.maxBuilds}`],
      ['tags', seen.tags.join(', ') || '-'],
      ['from', seen.peer ?? '-'],
      ['seen', seenWord(seen, style)],
      ...linkFacts(seen, style),
      ['key', seen.fingerprint ?? 'it has not been here yet'],
      ...Object.entries(seen.facts).filter(([name, value]) => value !== '' && !SHOWN_ABOVE.has(name)),
      ...seen.notes.map((text): [string, string] => ['note', text]),
    ]),
  );
}

/** Clocks that differ by less concern nobody. */
const CLOCK_APART_S = 2;

/** The link now and lately: since when, how fast, how often it was lost, and the last time why. */
function linkFacts({ link }: WorkerObject, style: Style): [string, string][] {
  if (link === undefined) return [];
  const { since, rtt_ms, rtt_max_ms, missed, pings, clock_ahead, lost_hour, lost_day, last } = link;
  const trip =
    rtt_ms === null
      ? ''
      : `, round trip ${ms(rtt_ms)}${rtt_max_ms === null ? '' : ` (at most ${ms(rtt_max_ms)})`}`;
  const pinged = missed === 0 ? '' : `, ${missed} of ${pings} pings missed`;
  const rows: [string, string][] = [
    ['link', since === null ? 'none' : `since ${style.time(since)}${trip}${pinged}`],
    [
      'lost',
      lost_day === 0
        ? 'not in the last day'
        : `${times(lost_hour)} in the last hour, ${times(lost_day)} in the last day`,
    ],
  ];
  if (last !== null) rows.push(['last', linkWords(last, style)]);
  if (clock_ahead !== null && Math.abs(clock_ahead) > CLOCK_APART_S) {
    const way = clock_ahead > 0 ? 'behind' : 'ahead of';
    rows.push([
      'clock',
      `${span(Math.abs(clock_ahead))} ${way} the master's; its times are shown as the master's`,
    ]);
  }
  return rows;
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 0 ? 'not' : `${count} times`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

function isSo(worker: WorkerObject | undefined, wanted: AwaitedState): boolean {
  switch (wanted) {
    case 'attached':
      return worker?.attached === true;
    case 'connected':
      return worker?.connected === true;
    case 'pending':
      return worker?.state === 'pending';
    case 'detached':
      return worker?.connected !== true;
  }
}

async function waitForWorker(
  context: Context,
  client: Client,
  name: string,
  wanted: AwaitedState,
  limitMs: number,
): Promise<WorkerObject> {
  const limit = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([context.signal, limit]);
  using progress = createProgress(context);
  progress.wait(`worker "${name}" is not ${wanted} yet`);
  let last: WorkerObject | undefined;
  try {
    for (;;) {
      last = await client.call('worker', { params: { worker: name } }, { signal }).catch((error: unknown) => {
        if (error instanceof BbxError && error.exit === EXIT.notFound) return undefined;
        throw error;
      });
      if (last !== undefined && isSo(last, wanted)) return last;
      await sleep(LOOK_AGAIN_MS, signal);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw codes['BBX-WAIT-LIMIT']({
      what: `worker "${name}" to be ${wanted}; ${last === undefined ? 'the master does not know it' : `it is ${last.state}${last.connected ? ' and connected' : ', not connected'}`}`,
      limit: printDuration(limitMs),
      hint:
        last?.state === 'pending'
          ? `Let it in: bbx worker approve ${name}`
          : "Look at the worker's log; on its host: bbx doctor",
    });
  }
}

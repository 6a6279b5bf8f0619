import { printBytes } from '../base/bytes.ts';
import { workerLayout } from '../config/layout.ts';
import type { LinkFact } from '../protocol/bbx/link-facts.ts';
import { readDisks } from '../diagnostics/doors/disks.ts';
import { roomOf, type DiskFact } from '../diagnostics/facts/disks.ts';
import { isHeld } from '../diagnostics/running.ts';
import { readLinkHistory, type HistoryLine } from '../runtime/worker/link-history.ts';
import type { Context } from './terminal/context.ts';
import { answer, facts } from './terminal/print.ts';
import { span } from './terminal/span.ts';

/** Records that are shown to people; with `--json` all that the directory has. */
const SHOWN = 12;

/** What a worker's directory says about its link. */
interface WorkerStatus {
  dir: string;
  /** Whether a worker runs in it now; null where this user cannot see that. */
  running: boolean | null;
  connected: boolean;
  /** Room on the disks of spool and workspaces. */
  disks: ({ room: ReturnType<typeof roomOf> } & DiskFact)[];
  /** Times are of this machine's clock, epoch seconds; each record is a fact of docs/protocol.md. */
  history: ({ at: number; boot: string } & LinkFact)[];
}

/** `bbx status` in a worker's directory: whether it runs, whether it is connected, and what happened to the link lately. */
export async function showWorkerStatus(context: Context, dir: string): Promise<void> {
  const layout = workerLayout(dir);
  const running = (await isHeld(layout.lock)) ?? null;
  const lines = await readLinkHistory(layout.linkHistory);
  const { disks } = await readDisks([
    { name: 'spool', path: layout.spool },
    { name: 'builds', path: layout.builds },
  ]);
  const status: WorkerStatus = {
    dir,
    running,
    connected:
      running !== false && lines.findLast(({ fact: { kind } }) => TURNS.has(kind))?.fact.kind === 'up',
    disks: disks.map((disk) => ({ room: roomOf(disk), ...disk })),
    history: lines.map(({ at, boot, fact }: HistoryLine) => ({ at, boot, ...fact })),
  };
  answer(context, status, (style, seen) => {
    const last = seen.history.findLast(({ kind }) => kind === 'up');
    const told = seen.history.filter(({ kind }) => kind !== 'pulse');
    const pulse = seen.history.findLast(({ kind }) => kind === 'pulse');
    return facts(context, [
      ['worker', style.paint.bold(seen.dir)],
      ['state', stateWords(seen)],
      ...seen.disks.map((disk): [string, string] => ['disk', diskWords(disk)]),
      ...(last === undefined ? [] : ([['link', factWords(last)]] as [string, string][])),
      ...(pulse === undefined ? [] : ([['pings', factWords(pulse)]] as [string, string][])),
      ...(context.stdout.isTTY ? told.slice(-SHOWN) : told).map((record): [string, string] => [
        style.time(record.at),
        factWords(record),
      ]),
    ]);
  });
}

/** Facts after which a worker is, or is not, connected. */
const TURNS = new Set(['up', 'down', 'began', 'ended']);

function stateWords({ running, connected }: WorkerStatus): string {
  if (running === false) return 'does not run; start it: bbx run worker';
  return connected ? 'connected' : running === null ? 'not connected' : 'runs, not connected';
}

function goneOn(builds: number): string {
  return builds === 1
    ? '1 build of the process before went on under its keeper'
    : `${builds} builds of the process before went on under its keeper`;
}

function diskWords({ room, parts, path, bytes, freeBytes }: WorkerStatus['disks'][number]): string {
  const left = `${printBytes(freeBytes)} of ${printBytes(bytes)} free`;
  const state = {
    full: 'full: ',
    'no files': 'full, no more files fit: ',
    'nearly full': 'nearly full: ',
    enough: '',
  };
  return `${state[room]}${parts.join(' and ')} (${path}), ${left}`;
}

function factWords(fact: LinkFact): string {
  switch (fact.kind) {
    case 'began':
      return `started (${fact.software})${fact.adopted === undefined ? '' : `; ${goneOn(fact.adopted)}`}`;
    case 'ended':
      return 'stopped in good order';
    case 'failed':
      return `${fact.times === 1 ? 'a try' : `${fact.times} tries`} at ${fact.target} failed: ${fact.got} (${fact.code})`;
    case 'up':
      return `connected to ${fact.target} (${fact.peer}) from ${fact.local || 'here'}, seen as ${fact.seen}, in ${fact.ms} ms`;
    case 'down': {
      const who = fact.by === 'nobody' ? 'the connection was gone' : `the ${fact.by} ended the session`;
      const said = [String(fact.code), fact.reason].filter((word) => word !== '').join(' ');
      return `lost after ${span(fact.lastedMs / 1000)}: ${who} (${said}), ${span(fact.silentMs / 1000)} after the last byte`;
    }
    case 'pulse':
      return `${fact.pings} pings, ${fact.missed} missed, round trip ${fact.minMs ?? '-'} to ${fact.maxMs ?? '-'} ms, median ${fact.medianMs ?? '-'} ms`;
    case 'clock':
      return `the time of this machine was set ${fact.by > 0 ? 'forward' : 'back'} by ${span(Math.abs(fact.by))}`;
    case 'slept':
      return `this machine slept for ${span(fact.seconds)}`;
    case 'stalled':
      return `the worker's process did not run for ${span(fact.seconds)}`;
  }
}

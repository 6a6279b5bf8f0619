import { sleep } from '../base/abort.ts';
import { errnoOf } from '../base/error.ts';
import { momentNow, type Moment } from './births.ts';
import { findProcesses, lookForProcesses, type ProcessQuery } from './processes.ts';

/** After KILL a process is gone at once, unless it hangs in the kernel: waiting longer than this helps nobody. */
const KILL_LIMIT_MS = 3_000;

/** Between two looks at the process table; one look costs some milliseconds. */
const LOOK_EVERY_MS = 50;

/** An `exec` takes less than this, also on a loaded machine, mostly. */
const LOOK_AGAIN_MS = 5;

export interface EndOptions extends ProcessQuery {
  /** From TERM to KILL, ms. */
  sigtermTimeMs: number;
  /** The moment that was just asked for, for the first look. */
  now?: Moment | undefined;
}

/**
 * Ends all processes of a step: TERM, after `sigtermTimeMs` KILL, looked for again until none is left, so that children born
 * meanwhile do not escape. Gives how many were found at first, and those that outlived even KILL.
 */
export async function endProcesses(options: EndOptions): Promise<{ found: number; alive: number[] }> {
  const termed = new Set<number>();
  const start = performance.now();
  let { now } = options;
  for (;;) {
    const living = await lookWell(options, termed.size > 0, now);
    now = undefined;
    if (living.length === 0) return { found: termed.size, alive: [] };
    const sinceStart = performance.now() - start;
    if (sinceStart >= options.sigtermTimeMs) break;
    // TERM once to each: a second one makes some programs give up their clean-up.
    const fresh = living.filter((pid) => !termed.has(pid));
    for (const pid of fresh) {
      termed.add(pid);
      send(pid, 'SIGTERM');
      // A stopped process takes its signal only when it goes on.
      send(pid, 'SIGCONT');
    }
    await sleep(Math.min(LOOK_EVERY_MS, options.sigtermTimeMs - sinceStart));
  }
  const killStart = performance.now();
  for (;;) {
    const living = await lookWell(options, true);
    for (const pid of living) termed.add(pid);
    if (living.length === 0) return { found: termed.size, alive: [] };
    if (performance.now() - killStart >= KILL_LIMIT_MS) return { found: termed.size, alive: living };
    killAll(living, options);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Markers, with users, of which nothing was left at a moment: whatever carries one later is younger. Newest last. `wholeAt`: monotonic ms of the last whole look. */
const clean = new Map<string, { moment: Moment; wholeAt: number }>();
/** Pids can come round unnoticed (`Moment.forks`): what was taken for older is found by the next whole look, which costs some milliseconds. */
const WHOLE_EVERY_MS = 60_000;
/** More builders than a worker has. */
const CLEAN_MARKERS = 1_000;

/**
 * Ends what a killed worker left running, all that carries `marker` or one below it. The first call for a marker, and one a minute, looks at
 * all processes of the machine, others at those that were born since: at the end of each build that is a few instead of hundreds.
 */
export async function endLeftovers(
  marker: string,
  options: { uids?: readonly number[]; sigtermTimeMs?: number } = {},
): Promise<{ found: number; alive: number[] }> {
  const { uids = ownUids(), sigtermTimeMs = 1_000 } = options;
  const key = `${uids.join()} ${marker}`;
  const at = performance.now();
  const known = clean.get(key);
  const since = known !== undefined && at - known.wholeAt < WHOLE_EVERY_MS ? known.moment : undefined;
  const now = momentNow();
  const ended = await endProcesses({ marker, uids, sigtermTimeMs, since, now });
  clean.delete(key);
  // Where something was found it may have had heirs until the last look: the next call looks at more than it must.
  const moment = ended.found === 0 ? now : since;
  const wholeAt = since === undefined ? at : (known?.wholeAt ?? at);
  if (moment !== undefined && ended.alive.length === 0) clean.set(key, { moment, wholeAt });
  if (clean.size > CLEAN_MARKERS) clean.delete(clean.keys().next().value as string);
  return ended;
}

/** The user of this process, and the one that builds run as. */
export function ownUids(other?: number): number[] {
  const own = process.geteuid?.() ?? 0;
  return other === undefined || other === own ? [own] : [own, other];
}

/**
 * One look can miss a process that was born while it went on, or that is just in `exec`, when its environment reads as empty. So none is
 * believed only when the look was sure, or seen twice, and with pauses where processes are dying and may leave heirs.
 */
async function lookWell(query: ProcessQuery, suspicious: boolean, now?: Moment): Promise<number[]> {
  let moment = now;
  for (let times = suspicious ? 4 : 2; times > 0; times -= 1) {
    const { found, sure } = look(query, moment);
    moment = undefined;
    if (found.length > 0) return found;
    if (suspicious) await sleep(LOOK_AGAIN_MS);
    else if (sure) break;
  }
  return [];
}

function look(query: ProcessQuery, now?: Moment): { found: number[]; sure: boolean } {
  const seen = lookForProcesses(query, now);
  // Where there is no /proc the group is all that can be reached.
  if (seen.found.length === 0 && query.session !== undefined && groupLives(query.session))
    return { found: [-query.session], sure: true };
  return seen;
}

/** Stopping all before killing keeps a fork bomb from being faster than we are. */
function killAll(living: readonly number[], query: ProcessQuery): void {
  for (const pid of living) send(pid, 'SIGSTOP');
  for (const pid of findProcesses(query)) send(pid, 'SIGKILL');
  for (const pid of living) send(pid, 'SIGKILL');
}

function groupLives(group: number): boolean {
  if (process.platform === 'linux') return false;
  return send(-group, 0);
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // ESRCH: it is gone. EPERM: it became another user's, which the caller learns from `alive`.
    if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error;
    return false;
  }
}

import { sleep } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { BbxError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import type { Ended, Ending } from './endings.ts';
import type { Farm } from './events.ts';
import { follow } from './follow.ts';
import type { LogIntake } from './logs.ts';
import { createRecording, type Places, type Recorded } from './recording.ts';
import type { Item } from './record-news.ts';
import type { ClosedLog } from './record-rows.ts';
import { nameOf, type OpenLog, type Running } from './running.ts';
import { createStepLogs } from './step-logs.ts';
import { oneLine, STORE, type TroubleList } from './trouble.ts';

interface Lane {
  build: Running;
  items: Item[];
  /** Logs of the finished step at the head, once they are closed. */
  closed: ClosedLog[] | undefined;
  closing: boolean;
  /** Something of it could not be written: its end is all that is still tried. */
  failed: boolean;
  /** The newest event that came; the same ones come again after a lost link, when they were not yet acknowledged. */
  seen: number;
  /** Until when its beginning may wait for company, monotonic ms. */
  dueAt: number;
}

/** What the next transaction writes of a lane. */
interface Taken extends Recorded {
  lane: Lane;
}

/** Items that one transaction takes: some milliseconds, so that others get their turn. */
const BATCH = 500;
const RETRY_MS = 1_000;
/**
 * What begins (a build, a step, the row of a log) waits so long for what comes next of its build, since nobody waits for it: all of a small build is
 * one commit then, and one acknowledgement.
 */
const COMPANY_MS = 50;

/**
 * Writes what happens to builds. Whatever comes while a transaction runs is in the next one, of all builds together, so a thousand
 * small builds cost few commits. Of one build everything stays in order; a finished step waits until its logs are on the disk and
 * compared. Acknowledgements follow the commit.
 */
export interface Recorder {
  event(build: Running, sequence: number, event: ProgressEvent): void;
  log(build: Running, log: OpenLog): void;
  /** Its beginning is waited for, now. */
  hurry(build: Running): void;
  /** Ends a build by the master's own decision, after what was received of it. */
  end(build: Running, ending: Ending): void;
  /** Resolves when nothing is left to write (what waits for logs aside), or after a failure that repeats. */
  stop(): Promise<void>;
}

/** Writes the progress of all builds, several events in one transaction. */
export function createRecorder(options: {
  farm: Farm;
  logs: LogIntake;
  clock: Clock;
  log: Log;
  trouble: TroubleList;
  /** Called after the commit that ended a build. */
  onEnded: (build: Running, ended: Ended) => void;
  places: Places;
}): Recorder {
  const { farm, logs, clock, log: say, trouble, onEnded, places } = options;
  const stepLogs = createStepLogs(logs);
  const lanes = new Map<Running, Lane>();
  const ready = new Set<Lane>();
  /** Lanes with a beginning alone, the longest waiting first. */
  const early = new Set<Lane>();
  let company: NodeJS.Timeout | undefined;
  const stopping = new AbortController();
  let working: Promise<void> | undefined;
  const commit = createRecording({ farm, logs, log: say, over, places });

  function push(build: Running, item: Item): void {
    if (build.ended) return;
    let lane = lanes.get(build);
    if (lane === undefined)
      lanes.set(
        build,
        (lane = {
          ...{ build, items: [], closed: undefined, closing: false, failed: false },
          ...{ seen: build.sequence, dueAt: 0 },
        }),
      );
    if (item.kind === 'event') {
      if (item.sequence <= lane.seen) {
        // The session that brought it again gets its credit by nothing else.
        if (item.sequence <= build.sequence)
          build.session?.acknowledge(build.lease, { sequence: build.sequence });
        return;
      }
      lane.seen = item.sequence;
    }
    lane.items.push(item);
    if (!isBeginning(item)) return wake(lane);
    // One that comes while others of its build are about to be written goes with them.
    if (ready.has(lane) || early.has(lane)) return;
    lane.dueAt = clock.monotonic() + COMPANY_MS;
    early.add(lane);
    company ??= setTimeout(wakeDue, COMPANY_MS);
  }

  /** Lets go on what has waited for company long enough. */
  function wakeDue(): void {
    company = undefined;
    const now = clock.monotonic();
    for (const lane of early) {
      if (lane.dueAt > now) {
        company = setTimeout(wakeDue, lane.dueAt - now);
        return;
      }
      wake(lane);
    }
  }

  function wake(lane: Lane): void {
    early.delete(lane);
    ready.add(lane);
    goOn();
  }

  function goOn(): void {
    working ??= work().finally(() => {
      working = undefined;
      if (ready.size > 0 && !stopping.signal.aborted) goOn();
    });
  }

  async function work(): Promise<void> {
    while (ready.size > 0 && !stopping.signal.aborted) {
      // A turn of the event loop: what arrived together, also while a commit held everything up, is written together.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = take();
      if (batch.length === 0) continue;
      try {
        await commit(batch, { along: true });
        trouble.clear(STORE);
      } catch (error) {
        if (error instanceof BbxError && error.retryable) {
          trouble.say(STORE, error);
          for (const taken of batch) giveBack(taken);
          await sleep(RETRY_MS, stopping.signal).catch(() => undefined);
        } else await oneByOne(batch);
      }
    }
  }

  /** The heads of all lanes that can be written now. */
  function take(): Taken[] {
    const batch: Taken[] = [];
    let count = 0;
    // A copy: a lane that comes again must wait for the commit of what is taken now.
    for (const lane of [...ready]) {
      if (count >= BATCH) break;
      ready.delete(lane);
      const taken: Taken = { lane, build: lane.build, items: [], closed: undefined };
      while (lane.items.length > 0 && count < BATCH) {
        const head = lane.items[0]!;
        if (head.kind === 'event' && head.event.type === 'stepFinished') {
          if (lane.closed === undefined && !lane.closing) {
            const begun = stepLogs.begin(lane.build, head.event);
            taken.items.push(...begun.rows);
            lane.closed = begun.closed;
          }
          if (lane.closed === undefined) {
            // What is before it (the rows of its logs) must be written first; then the lane comes again.
            if (taken.items.length === 0) closeLogs(lane, head.event);
            break;
          }
          taken.closed = [...(taken.closed ?? []), ...lane.closed];
          lane.closed = undefined;
        }
        taken.items.push(lane.items.shift()!);
        count += 1;
      }
      if (taken.items.length > 0) batch.push(taken);
      if (lane.items.length > 0 && taken.items.length > 0) ready.add(lane);
    }
    return batch;
  }

  /** What was not written comes again, with the logs that were closed for it. */
  function giveBack({ lane, items, closed }: Taken): void {
    lane.items.unshift(...items);
    if (closed !== undefined) lane.closed = closed;
    ready.add(lane);
  }

  /** Closes the logs of the finished step at the head of a lane, and then lets the lane go on. */
  function closeLogs(lane: Lane, event: ProgressEvent & { type: 'stepFinished' }): void {
    if (lane.closing) return;
    const { build } = lane;
    lane.closing = true;
    stepLogs
      .close(build, event)
      .then((closed) => {
        lane.closed = closed;
        lane.closing = false;
        if (!build.ended) wake(lane);
      })
      .catch((error: unknown) => {
        lane.closing = false;
        if (stopping.signal.aborted || build.ended) return;
        say.error('The logs of a step could not be closed', { build: nameOf(build), error: oneLine(error) });
        fail(build, error);
      });
  }

  function over(build: Running, ended: Ended | undefined): void {
    if (build.ended) return;
    build.ended = true;
    lanes.delete(build);
    onEnded(build, ended ?? { result: 'exception', requeued: false });
  }

  /** A transaction that one build spoils must not stop the others: each by itself, and that build ends. */
  async function oneByOne(batch: readonly Taken[]): Promise<void> {
    for (const taken of batch) {
      try {
        await commit([taken], { along: false });
      } catch (error) {
        if (error instanceof BbxError && error.retryable) {
          giveBack(taken);
          continue;
        }
        const { build } = taken.lane;
        say.error('A build could not be recorded', { build: nameOf(build), error: oneLine(error) });
        fail(build, error);
      }
    }
  }

  function fail(build: Running, error: unknown): void {
    const state = `could not be recorded: ${oneLine(error)}`;
    const lane = lanes.get(build);
    if (lane === undefined || build.ended) return;
    build.givenUp = true;
    build.session?.drop(build.lease, state.slice(0, 1_000));
    // Not even its end can be written: its place at the worker is free, its rows stay as they are until the next start.
    if (lane.failed) {
      return follow([() => over(build, undefined), () => places.freed()], say);
    }
    lane.failed = true;
    lane.items = [{ kind: 'end', ending: { result: 'exception', state, at: clock.wall(), again: false } }];
    lane.closed = undefined;
    wake(lane);
  }

  return {
    hurry(build) {
      const lane = lanes.get(build);
      if (lane !== undefined && early.has(lane)) wake(lane);
    },
    event: (build, sequence, event) => push(build, { kind: 'event', sequence, event }),
    log: (build, log) => push(build, { kind: 'log', log }),
    end(build, ending) {
      const lane = lanes.get(build);
      // The logs of a step that waits for bytes which never come would hold the end up; those that are closed already do not.
      const held = lane?.items.findIndex((item) => waitsForLogs(item, lane.closed ?? [])) ?? -1;
      if (held >= 0) lane?.items.splice(held);
      push(build, { kind: 'end', ending });
    },
    async stop() {
      for (const lane of early) wake(lane);
      while (working !== undefined && trouble.get(STORE) === undefined) await working;
      stopping.abort(new Error('the master stops'));
      await working;
      clearTimeout(company);
    },
  };
}

/** The end of a step of which some log is not among those that are closed. */
function waitsForLogs(item: Item, closed: readonly ClosedLog[]): boolean {
  if (item.kind !== 'event' || item.event.type !== 'stepFinished') return false;
  const { step, logs } = item.event;
  return logs.some((told) => !closed.some(({ log }) => log.step === step && log.name === told.name));
}

/** Nothing depends on its being stored at once: it comes again when the master ends before that. */
function isBeginning(item: Item): boolean {
  if (item.kind === 'log') return true;
  return item.kind === 'event' && (item.event.type === 'buildStarted' || item.event.type === 'stepStarted');
}

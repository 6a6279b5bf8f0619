import { isWantOfRoom, type LogDisk } from './log-disk.ts';
import type { OpenLog } from './running.ts';

/** How long until a log that the disk did not take is tried again. */
const RETRY_MS = 1_000;
/** The first bytes of a log are kept, to try the disk with: a block of most file systems, and all of a log that ends in its row. */
export const KEPT_BYTES = 4 * 1024;
/** Of so many logs: 2 MiB. Of those beyond it nothing is kept, and they are tried when another has got through, or has ended. */
export const MOST_KEPT = 512;
/** Most rounds until a log is tried whose flushes fail: all that its worker sends ahead is sent for nothing each time. */
const MOST_RESTS = 30;

/**
 * The logs that wait for room on the disk. Their workers keep the bytes and let the streams rest, so that nothing else of the same sessions waits; here
 * only the first bytes of each stay, and are tried again. What is small enough for its row stays whole and is not held up at all. A worker that cannot let
 * a single stream rest is held up as a whole.
 */
export interface LogStalls {
  /** Takes a log in whose write has failed. False when that is no matter of room: then nothing has changed. */
  begin(log: OpenLog, error: unknown): boolean;
  /**
   * What was written of a log behind `log.written` is lost, with a flush that failed: its worker sends that again, the later the more `log.losses` there
   * were before. False: its worker cannot let a single stream rest.
   */
  rewind(log: OpenLog, error: Error): boolean;
  /** While the disk takes nothing, a log that is no longer small and has no row yet rests until it has one. False: its worker cannot let it. */
  beginEarly(log: OpenLog): boolean;
  /** A log whose row is late rests until it has one. False: its worker cannot let it. */
  beginLate(log: OpenLog): boolean;
  /** More of it has come, and perhaps as much waits as may. Gives a promise when its session is to be held up. */
  grown(log: OpenLog, isFull: boolean): Promise<void> | undefined;
  /** It goes on, or nothing more of it is wanted. */
  end(log: OpenLog): void;
  /** The master is about to stop: sessions that are held up are let go with an error. */
  hurry(): void;
  stop(): void;
}

/** What is done with the bytes of stalled logs. */
interface StallActs {
  /** Hands all that waits of a log to the disk, once; rejects as the disk does, and then it waits again. */
  write(log: OpenLog): Promise<void>;
  /** Drops what waits of a log but its first bytes, at most so many. */
  cut(log: OpenLog, keepBytes: number): void;
  /** Its end may still put it into its row. */
  mayStaySmall(log: OpenLog): boolean;
  /** It goes on, with what waits. */
  goOn(log: OpenLog): void;
  /** It cannot be written, and not for want of room. */
  fault(log: OpenLog, error: unknown): void;
}

/** Tries logs again that a full disk does not take. */
export function createLogStalls(disk: LogDisk, acts: StallActs): LogStalls {
  const stalled = new Set<OpenLog>();
  let through = 0;
  let hurried = false;
  let timer: NodeJS.Timeout | undefined;

  const mayKeep = () => stalled.size <= MOST_KEPT;

  /** Keeps what may be kept, and lets the worker keep the rest. False: its worker can only be held up as a whole. */
  function settle(log: OpenLog): boolean {
    const { lease, session } = log.build;
    const { step, name, logid } = log;
    if (logid !== undefined && mayKeep() && acts.mayStaySmall(log)) return true;
    // Asked before anything is dropped.
    if (session?.pauseLog(lease, { step, log: name, from: Infinity }) === false) return false;
    acts.cut(log, logid !== undefined && mayKeep() ? KEPT_BYTES : 0);
    const last = log.waiting.at(-1);
    const from = last === undefined ? log.written : last.offset + last.bytes.length;
    session?.pauseLog(lease, { step, log: name, from });
    return true;
  }

  function add(log: OpenLog, why: Error): void {
    const held = Promise.withResolvers<void>();
    held.promise.catch(() => undefined);
    log.stall = { over: Promise.withResolvers(), held, why, since: through, rests: 0 };
    stalled.add(log);
    disk.stuck(log, true);
    timer ??= setTimeout(() => void tryAll(), RETRY_MS);
  }

  async function tryAll(): Promise<void> {
    for (const log of [...stalled]) if (!hurried) await tryAgain(log);
    timer = stalled.size === 0 || hurried ? undefined : setTimeout(() => void tryAll(), RETRY_MS);
  }

  async function tryAgain(log: OpenLog): Promise<void> {
    const { stall } = log;
    if (stall === undefined || log.logid === undefined) return;
    stall.rests = Math.max(0, stall.rests - 1);
    if (stall.rests > 0) return;
    // There was no room to keep anything of it, or a flush has lost it: its worker has all that it is to be tried with.
    if (log.waiting.length === 0) {
      const others = [...stalled].some(({ waiting, logid }) => waiting.length > 0 && logid !== undefined);
      if (through > stall.since || mayKeep() || !others) end(log);
      return;
    }
    try {
      await acts.write(log);
      // A flush may have failed meanwhile.
      if (stall.rests > 0) return;
      through += 1;
      end(log);
    } catch (error) {
      if (isWantOfRoom(error)) stall.why = error;
      else {
        end(log);
        acts.fault(log, error);
      }
    }
  }

  function end(log: OpenLog): void {
    const { stall, build, step, name } = log;
    if (stall === undefined) return;
    log.stall = undefined;
    stalled.delete(log);
    disk.stuck(log, false);
    stall.over.resolve();
    stall.held.resolve();
    build.session?.proceedLog(build.lease, { step, log: name });
    acts.goOn(log);
  }

  const stalls: LogStalls = {
    begin(log, error) {
      if (hurried || !isWantOfRoom(error)) return false;
      if (log.stall === undefined) add(log, error);
      else log.stall.why = error;
      settle(log);
      return true;
    },
    rewind(log, error) {
      const { session, lease } = log.build;
      if (hurried) return false;
      if (session?.pauseLog(lease, { step: log.step, log: log.name, from: log.written }) === false)
        return false;
      if (log.stall === undefined) add(log, error);
      log.stall!.rests = Math.min(2 ** log.losses, MOST_RESTS);
      return true;
    },
    beginEarly: (log) => disk.isStuck && log.waitingBytes > KEPT_BYTES && stalls.beginLate(log),
    beginLate(log) {
      const { session, lease } = log.build;
      if (hurried || log.stall !== undefined) return false;
      if (session?.pauseLog(lease, { step: log.step, log: log.name, from: Infinity }) !== true) return false;
      add(log, new Error('its row is late'));
      return settle(log);
    },
    grown(log, isFull) {
      if (log.stall === undefined || (mayKeep() && log.waitingBytes <= KEPT_BYTES)) return undefined;
      return settle(log) || !isFull ? undefined : log.stall.held.promise;
    },
    end,
    hurry() {
      hurried = true;
      clearTimeout(timer);
      for (const { stall } of stalled) stall?.held.reject(stall.why);
    },
    stop() {
      hurried = true;
      clearTimeout(timer);
      for (const { stall } of stalled) stall?.over.resolve();
    },
  };
  return stalls;
}

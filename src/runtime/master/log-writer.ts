import { BbxError } from '../../base/error.ts';
import type { LogBytes } from '../../protocol/bbx/master-contract.ts';
import { CLOSE } from '../../protocol/bbx/wire.ts';
import { SMALL_LOG_BYTES } from '../../store/small-log.ts';
import { isWantOfRoom, type LogDisk } from './log-disk.ts';
import { createLogStalls, type LogStalls } from './log-stalls.ts';
import type { OpenLog } from './running.ts';

/**
 * Bytes of one log, and of all together, that may wait for their row and for the disk before a session is no longer read. What waits is written in
 * one call: 64 KiB at a time cost a quarter of the master's time in handing calls to threads.
 */
export const WAITING_BYTES = 1024 * 1024;
const ALL_WAITING_BYTES = 8 * 1024 * 1024;
/** So much of a log is written at once, less waits for more, but not longer than nobody notices: each write is handed to a thread and waited for. */
export const GATHER_BYTES = 256 * 1024;
const GATHER_MS = 4;
/**
 * The first bytes of a log wait so long for its end, which saves a file where that comes so soon: the worker has them until then. A file, with its compressing, costs
 * the master as much as all else of a small build. Who follows the log does not notice the shorter wait either.
 */
const SMALL_MS = 2_000;
const SMALL_FOLLOWED_MS = 100;

/** The bytes of logs that are in memory, on their way to the disk. */
export interface LogWriter {
  readonly stalls: LogStalls;
  /** Takes a piece. True when so much waits now that nothing more should come. */
  add(log: OpenLog, piece: LogBytes): boolean;
  /** Its end may come before it must have a file. */
  mayStaySmall(log: OpenLog): boolean;
  /** Writes what waits, when more has come or a moment is over. The log has its row. */
  soon(log: OpenLog): void;
  /** Writes what waits now, and goes on while enough comes meanwhile. Resolves also when the disk has no room: then the log is stalled. */
  write(log: OpenLog): Promise<void>;
  /** Writes what waits for the log's end to come, so that a reader meets all that has come. A failure is told like that of any write. */
  show(log: OpenLog): Promise<void>;
  /** Writes until nothing waits, or the log is stalled. */
  writeAll(log: OpenLog): Promise<void>;
  /** What waits of it is dropped. */
  drop(log: OpenLog): void;
  /** A flush has failed, and the log is as long as `stored` again: its worker sends the rest anew, when it has rested. */
  lose(log: OpenLog, error: Error): void;
}

/** Writes logs in few calls. */
export function createLogWriter(options: {
  disk: LogDisk;
  /** Somebody waits to see what comes of it. */
  isFollowed: (log: OpenLog) => boolean;
  /** The log has grown on the disk. */
  onWritten: (log: OpenLog) => void;
  onFault: (log: OpenLog, error: unknown) => void;
}): LogWriter {
  const { disk, isFollowed, onWritten, onFault } = options;
  let allWaitingBytes = 0;

  /** So many bytes wait no longer; at most those that are counted, since a failed sync gives up all of a log's. */
  function waitLess(log: OpenLog, bytes: number): void {
    const less = Math.min(bytes, log.waitingBytes);
    log.waitingBytes -= less;
    allWaitingBytes -= less;
  }

  const mayStaySmall = (log: OpenLog) => !log.hasFile && log.waitingBytes <= SMALL_LOG_BYTES;
  const inBackground = (log: OpenLog) => void write(log).catch((error: unknown) => onFault(log, error));

  function soon(log: OpenLog): void {
    if (log.writing !== undefined || log.stall !== undefined) return;
    if (log.waitingBytes >= GATHER_BYTES) return inBackground(log);
    if (mayStaySmall(log)) {
      log.gathering ??= setTimeout(() => inBackground(log), isFollowed(log) ? SMALL_FOLLOWED_MS : SMALL_MS);
      return;
    }
    // It has waited for its end long enough.
    if (!log.hasFile && log.gathering !== undefined) return inBackground(log);
    log.gathering ??= setTimeout(() => inBackground(log), GATHER_MS);
  }

  /** Hands all that waits to the disk, once. For want of room it waits again afterwards, what else fails comes again. */
  async function hand(log: OpenLog): Promise<void> {
    const pieces = log.waiting.splice(0);
    const isFirst = !log.hasFile;
    const { losses } = log;
    log.hasFile = true;
    let size: number;
    try {
      size = await disk.append(log.logid!, pieces);
    } catch (error) {
      if (!isWantOfRoom(error)) {
        waitLess(log, bytesOf(pieces));
        if (!isHole(error)) throw error;
        // A flush has failed meanwhile and taken what was before them. That is told, and counted, when its round is over.
        return log.losses === losses ? rewind(log, error) : undefined;
      }
      // It was told, and they wait no more.
      if (log.losses !== losses) return;
      log.waiting.unshift(...pieces);
      if (isFirst) log.hasFile = !(await disk.removeEmpty(log.logid!));
      throw error;
    }
    waitLess(log, bytesOf(pieces));
    log.written = size;
    onWritten(log);
  }

  function write(log: OpenLog): Promise<void> {
    clearTimeout(log.gathering);
    log.gathering = undefined;
    if (log.stall !== undefined) return Promise.resolve();
    return during(log, async () => {
      try {
        while (log.waiting.length > 0) {
          await hand(log);
          if (log.waitingBytes < GATHER_BYTES) break;
        }
      } catch (error) {
        if (!stalls.begin(log, error)) {
          drop(log);
          throw error;
        }
      }
    });
  }

  /** One at a time writes a log; who comes meanwhile waits for the same. */
  function during(log: OpenLog, act: () => Promise<void>): Promise<void> {
    log.writing ??= (async () => {
      try {
        await act();
      } finally {
        log.writing = undefined;
      }
      if (log.waiting.length > 0) soon(log);
    })();
    return log.writing;
  }

  function drop(log: OpenLog): void {
    clearTimeout(log.gathering);
    log.gathering = undefined;
    log.waiting.length = 0;
    waitLess(log, log.waitingBytes);
  }

  function lose(log: OpenLog, error: Error): void {
    rewind(log, error);
    log.losses += 1;
  }

  function rewind(log: OpenLog, error: Error): void {
    drop(log);
    log.written = log.stored;
    // One that is complete finds out by itself that it is not.
    if (!log.complete && !stalls.rewind(log, error))
      log.build.session?.close(CLOSE.fault, 'a log could not be stored');
  }

  function cut(log: OpenLog, keepBytes: number): void {
    const before = bytesOf(log.waiting);
    const first = log.waiting.find(({ offset, bytes }) => offset + bytes.length > log.written);
    log.waiting.length = 0;
    if (first !== undefined && keepBytes > 0) {
      const from = Math.max(0, log.written - first.offset);
      // A copy: the frame that they came in is larger.
      const bytes = Buffer.from(first.bytes.subarray(from, from + keepBytes));
      log.waiting.push({ ...first, offset: first.offset + from, bytes });
    }
    waitLess(log, before - bytesOf(log.waiting));
  }

  const stalls = createLogStalls(disk, {
    write: (log) => during(log, () => hand(log)),
    cut,
    mayStaySmall,
    goOn: (log) => {
      if (log.waiting.length > 0 && log.logid !== undefined) soon(log);
    },
    fault: onFault,
  });

  return {
    stalls,
    add(log, piece) {
      const fresh = isAhead(log, piece) ? undefined : behindWaiting(log, piece);
      if (fresh !== undefined) {
        const isLittle = !log.hasFile && log.waitingBytes + fresh.bytes.length <= SMALL_LOG_BYTES;
        // A copy of the little: what it was received in may be larger.
        log.waiting.push(isLittle ? { ...fresh, bytes: Buffer.from(fresh.bytes) } : fresh);
        log.waitingBytes += fresh.bytes.length;
        allWaitingBytes += fresh.bytes.length;
      }
      return log.waitingBytes > WAITING_BYTES || allWaitingBytes > ALL_WAITING_BYTES;
    },
    mayStaySmall,
    soon,
    write,
    async show(log) {
      if (!log.hasFile) await write(log).catch((error: unknown) => onFault(log, error));
    },
    async writeAll(log) {
      while (log.stall === undefined && (log.waiting.length > 0 || log.writing !== undefined))
        await write(log);
    },
    drop,
    lose,
  };
}

/** Whether it was on its way when its stream was told to rest from before it: it comes again. */
function isAhead({ stall, writing, waiting, written }: OpenLog, piece: LogBytes): boolean {
  return stall !== undefined && writing === undefined && waiting.length === 0 && piece.offset > written;
}

/** What of a piece does not wait already: a new session brings again what is not acknowledged. Undefined when nothing is left. */
function behindWaiting({ waiting }: OpenLog, piece: LogBytes): LogBytes | undefined {
  const last = waiting.at(-1);
  const known = last === undefined ? 0 : last.offset + last.bytes.length - piece.offset;
  if (known <= 0) return piece;
  if (known >= piece.bytes.length) return undefined;
  return { ...piece, offset: piece.offset + known, bytes: piece.bytes.subarray(known) };
}

function isHole(error: unknown): error is BbxError {
  return error instanceof BbxError && error.code === 'BBX-STO-LOG-HOLE';
}

function bytesOf(pieces: readonly LogBytes[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

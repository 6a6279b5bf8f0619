import { sleep } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { LogBytes } from '../../protocol/bbx/master-contract.ts';
import { CLOSE } from '../../protocol/bbx/wire.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import type { LogEnd } from '../../build/receipt.ts';
import type { LogFiles } from '../../store/log-files.ts';
import type { WholeLog } from '../../store/logs.ts';
import type { Store } from '../../store/store.ts';
import { createLogDisk } from './log-disk.ts';
import { createLogEnding, LostBytes } from './log-ending.ts';
import { createLogFollowers } from './log-followers.ts';
import { createLogPacker } from './log-packer.ts';
import { createLogSync } from './log-sync.ts';
import { createLogWriter } from './log-writer.ts';
import { endSmall } from './small-logs.ts';
import { oneLine, type TroubleList } from './trouble.ts';
import { logKey, nameOf, newLog, type OpenLog, type Running } from './running.ts';

/** How long the end waits for a full disk: the worker still has what is not acknowledged. */
const STOP_MS = 1_000;

/** A session is held up for so long because one log's row is not there: mostly that is over soon, and what rests is sent twice. */
const LATE_MS = 1_000;

/** A worker that comes back waits so long until what it had sent before is stored. */
const STORE_MS = 1_000;

/** What workers send of logs, on its way to the disk and back as acknowledgements. */
export interface LogIntake {
  /** A log that begins, or that a worker goes on with at `stored` bytes. */
  open(build: Running, step: number, name: string, at?: { logid: number; stored: number }): OpenLog;
  /** The row is committed: what waited is written. */
  placed(log: OpenLog, logid: number): void;
  /**
   * A new session is about to bring these logs from what is stored of them: what a former one brought is stored by then, or dropped where no file was begun. Its
   * worker may have written something else, as one does whose directory is a copy. What rests for want of room stays as it is, and a disk that hangs is waited for
   * a second.
   */
  comeAgain(logs: Iterable<OpenLog>): Promise<void>;
  /** The build has its result: what waits for rows that never come is dropped, and who brought it goes on. */
  ended(build: Running): void;
  /** Takes a piece. Gives a promise when the sender must be held up until it resolves: the disk or the log's row is late. */
  take(log: OpenLog, piece: LogBytes): void | Promise<void>;
  /**
   * Resolves when the log is on the disk, compared and closed; size and SHA-256 are those to store in its row. A difference is said loudly and
   * does not hold up the build. Of several calls the first that has all its bytes decides. Rejects when the signal of `stop` comes first.
   */
  finish(log: OpenLog, expected: { bytes?: number; sha256?: string }): Promise<WholeLog>;
  /**
   * The end of a log that is small and has all its bytes, of which none is in a file: to be written with its row, then `kept`. Undefined for others,
   * which `finish`. Nothing more is taken of it.
   */
  finishSmall(log: OpenLog, expected: { bytes: number; sha256?: string }): WholeLog | undefined;
  /** The row of a small log, with its bytes, is committed. */
  kept(log: OpenLog): void;
  /** A step's end has come: of its logs that were held up so many bytes are still to come. */
  told(build: Running, end: ProgressEvent & { type: 'stepFinished' }): void;
  /** Wakes who follows a log; called with each new size. */
  listen(logid: number, listener: () => void): () => void;
  /** Says to who follows a log that its row has changed. */
  wake(logid: number): void;
  /** Resolves when readers meet all that has come of a growing log, but for what is on its way to the disk already. */
  show(logid: number): Promise<void>;
  /** Where a growing log stands now, for readers; undefined when it is not open. */
  sizeOf(logid: number): number | undefined;
  /** Compresses what a former master left complete and not compressed; in the background, as all compressing is. */
  packFormer(): void;
  /** The master is about to stop: what disk or store do not take now is refused instead of holding up who brought it. */
  hurry(): void;
  /** Writes and acknowledges what has arrived; later bytes are refused. */
  stop(): Promise<void>;
}

/** Takes the bytes of logs in from workers' sessions. */
export function createLogIntake(options: {
  files: LogFiles;
  store: Store;
  clock: Clock;
  log: Log;
  trouble: TroubleList;
}): LogIntake {
  const { files, store, clock, log: say, trouble } = options;
  const packer = createLogPacker({ files, store, log: say });
  const stopping = new AbortController();
  stopping.signal.addEventListener('abort', () => {
    for (const log of open.values()) log.more?.();
    writer.stalls.stop();
  });
  const open = new Map<number, OpenLog>();
  const followers = createLogFollowers();
  /** Logs whose sessions are held up until they have their rows. */
  const placing = new Set<OpenLog>();
  let hurried = false;
  const disk = createLogDisk({ files, trouble, signal: stopping.signal });
  const ending = createLogEnding({ disk, files, log: say, trouble, signal: stopping.signal });
  const writer = createLogWriter({
    disk,
    isFollowed: ({ logid }) => followers.has(logid!),
    onWritten(log) {
      syncs.add(log);
      followers.wake(log.logid!);
    },
    onFault: (log, error) => faultOf(log)(error),
  });
  const syncs = createLogSync({ disk, store, clock, log: say, onLost: writer.lose });

  /** Resolves when so many bytes are written: those that a failed disk lost come again from the worker. */
  async function arrived(log: OpenLog, expected: { bytes?: number; sha256?: string }): Promise<void> {
    const { bytes = 0 } = expected;
    for (;;) {
      await writer.writeAll(log);
      if (log.stall !== undefined && !log.complete) {
        // It needs no room on the disk where it fits into its row.
        await log.writing?.catch(() => undefined);
        if (expected.bytes !== undefined && small(log, { ...expected, bytes }) !== undefined) return;
        if (log.stall !== undefined) await log.stall.over.promise;
        stopping.signal.throwIfAborted();
        continue;
      }
      if (log.complete || log.written >= bytes) return;
      // Came meanwhile, and nobody was woken for it.
      if (log.waiting.length > 0 || log.writing !== undefined) continue;
      stopping.signal.throwIfAborted();
      await new Promise<void>((resolve) => (log.more = resolve));
      stopping.signal.throwIfAborted();
    }
  }

  function small(log: OpenLog, expected: { bytes: number; sha256?: string }): WholeLog | undefined {
    if (log.small !== undefined) return log.small;
    if (log.complete || !writer.mayStaySmall(log)) return undefined;
    log.small = endSmall(log.waiting, expected);
    if (log.small === undefined) return undefined;
    log.complete = true;
    log.more?.();
    writer.drop(log);
    writer.stalls.end(log);
    return log.small;
  }

  async function close(
    log: OpenLog,
    logid: number,
    expected: { bytes?: number; sha256?: string },
  ): Promise<LogEnd> {
    log.complete = true;
    log.more?.();
    writer.stalls.end(log);
    const end = await ending.end(log, logid, expected).catch((error: unknown) => {
      if (!(error instanceof LostBytes)) throw error;
      log.complete = false;
      log.closing = undefined;
      writer.lose(log, error);
      throw error;
    });
    open.delete(logid);
    syncs.forget(log);
    log.stored = end.bytes;
    packer.add(logid);
    return end;
  }

  return {
    open(build, step, name, at) {
      const log = newLog(build, step, name, at);
      if (at !== undefined) open.set(at.logid, log);
      return log;
    },
    placed(log, logid) {
      log.logid = logid;
      if (log.small === undefined) open.set(logid, log);
      placing.delete(log);
      writer.stalls.end(log);
      if (log.waiting.length === 0) return log.placing?.resolve();
      if (log.placing === undefined && writer.mayStaySmall(log)) writer.soon(log);
      else writeHeld(log).then(log.placing?.resolve, log.placing?.reject ?? faultOf(log));
    },
    async comeAgain(logs) {
      const unstored: OpenLog[] = [];
      for (const log of logs) {
        if (log.complete || log.stall !== undefined) continue;
        // Its end was told, and the bytes that belong to that are all here.
        if (log.build.course.steps.get(log.step) === 'ended') continue;
        if (!log.hasFile) writer.drop(log);
        else if (log.waiting.length > 0 || log.writing !== undefined || log.written > log.stored)
          unstored.push(log);
      }
      if (unstored.length === 0) return;
      const stored = Promise.all(unstored.map((log) => writer.writeAll(log).catch(faultOf(log)))).then(
        syncs.flush,
      );
      const limit = new AbortController();
      await Promise.race([stored, sleep(STORE_MS, limit.signal).catch(() => undefined)]);
      limit.abort();
    },
    ended(build) {
      for (const log of build.logs.values()) {
        if (log.logid !== undefined) continue;
        // It gets no row any more, so nothing of it is kept.
        writer.drop(log);
        writer.stalls.end(log);
        placing.delete(log);
        log.placing?.resolve();
      }
    },
    take(log, piece) {
      const { build } = log;
      if (stopping.signal.aborted) throw stopping.signal.reason;
      // They come again, after a lost link, and are all here.
      if (log.complete) return undefined;
      const hold = writer.add(log, piece);
      log.more?.();
      log.received = Math.max(log.received, piece.offset + piece.bytes.length);
      if (log.stall !== undefined) return writer.stalls.grown(log, hold);
      if (log.logid === undefined) {
        if (build.ended || writer.stalls.beginEarly(log) || !hold) return undefined;
        // A store that is busy or away must not fill the memory with what it has no row for.
        if (hurried) throw new Error('the master stops');
        return untilPlaced(log);
      }
      if (hold) return writeHeld(log);
      writer.soon(log);
      return undefined;
    },
    async finish(log, expected) {
      const { logid } = log;
      if (log.small !== undefined) return log.small;
      if (logid === undefined) throw new Error(`log "${log.name}" is closed before it has a row`);
      for (;;) {
        await arrived(log, expected);
        if (log.small !== undefined) return log.small;
        log.closing ??= close(log, logid, expected);
        try {
          return await log.closing;
        } catch (error) {
          // They come again from the worker, who has not been told that they are here.
          if (!(error instanceof LostBytes)) throw error;
        }
      }
    },
    finishSmall: small,
    kept(log) {
      if (log.small === undefined || log.logid === undefined) return;
      log.stored = log.written = log.small.bytes;
      open.delete(log.logid);
    },
    told(build, { step, logs }) {
      for (const { name, bytes } of logs) {
        const log = build.logs.get(logKey(step, name));
        if (log !== undefined) log.received = Math.max(log.received, bytes);
      }
    },
    listen: followers.listen,
    wake: followers.wake,
    async show(logid) {
      const log = open.get(logid);
      if (log !== undefined) await writer.show(log);
    },
    sizeOf: (logid) => open.get(logid)?.written,
    packFormer: () => packer.addFormer(),
    hurry() {
      hurried = true;
      writer.stalls.hurry();
      for (const log of placing) log.placing?.reject(new Error('the master stops'));
    },
    async stop() {
      const writes = [...open.values()].map(writer.writeAll);
      setTimeout(() => stopping.abort(new Error('the master stops')), STOP_MS).unref();
      await Promise.allSettled(writes);
      await syncs.stop();
      stopping.abort(new Error('the master stops'));
      await packer.stop();
    },
  };

  /** For a session that is held up until a log has its row. Where the store is late the log rests alone from then on, if its worker can let it. */
  function untilPlaced(log: OpenLog): Promise<void> {
    if (log.placing !== undefined) return log.placing.promise;
    const held = (log.placing = Promise.withResolvers<void>());
    placing.add(log);
    const timer = setTimeout(() => {
      if (!writer.stalls.beginLate(log)) return;
      placing.delete(log);
      log.placing = undefined;
      held.resolve();
    }, LATE_MS);
    const over = () => clearTimeout(timer);
    held.promise.then(over, over);
    return held.promise;
  }

  /** For a session that is held up meanwhile; where the disk has no room, that ends with its streams at rest. */
  async function writeHeld(log: OpenLog): Promise<void> {
    await writer.write(log);
    await writer.stalls.grown(log, true);
  }

  function faultOf(log: OpenLog): (error: unknown) => void {
    return (error) => {
      if (stopping.signal.aborted) return;
      say.error('A log could not be written', {
        build: nameOf(log.build),
        log: log.name,
        error: oneLine(error),
      });
      // The worker comes back and sends again from what is stored.
      log.build.session?.close(CLOSE.fault, 'a log could not be written');
    };
  }
}

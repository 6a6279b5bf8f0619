import { sleep } from '../../base/abort.ts';
import { BbxError } from '../../base/error.ts';
import type { LogBytes } from '../../protocol/bbx/master-contract.ts';
import type { FinishedLog, LogFiles } from '../../store/log-files.ts';
import { codes } from './codes.ts';
import { LOG_FILES, oneLine, type TroubleList } from './trouble.ts';

/** After a failed write (a full disk), how long until the next try. */
const RETRY_MS = 1_000;
/** Trouble that nobody waits for any more, and that nothing new was tried with, is shown for so long. */
const FORGOTTEN_AFTER_MS = 60_000;

/** The files of logs, of which a full disk is no failure: it is said once, until nobody waits for it any more. */
export interface LogDisk {
  /** Writes pieces that follow one another, handed over together; gives the log's size. Rejects as `LogFiles.append`, also while the disk is full. */
  append(logid: number, pieces: readonly LogBytes[]): Promise<number>;
  /** `LogFiles.seal`, which waits while the disk is full, until the signal. */
  seal(logid: number, expected: { bytes?: number; sha256?: string }): Promise<FinishedLog>;
  /** `LogFiles.sync` of each log: the size that is durable, or the error with which what was not durable is not there any more. */
  sync(logids: readonly number[]): Promise<Map<number, number | Error>>;
  /** Removes the file of a log of which no byte was written. False when there is one left. */
  removeEmpty(logid: number): Promise<boolean>;
  /** Notes that somebody waits for the disk, or no longer. */
  stuck(who: object, isStuck: boolean): void;
  /** Somebody waits for it. */
  readonly isStuck: boolean;
}

/** Whether the disk may take it later: it is full, mostly. */
export function isWantOfRoom(error: unknown): error is BbxError {
  return error instanceof BbxError && error.retryable;
}

/** Writes logs, with patience. */
export function createLogDisk(options: {
  files: LogFiles;
  trouble: TroubleList;
  /** Ends every wait. */
  signal: AbortSignal;
}): LogDisk {
  const { files, trouble, signal } = options;
  const waiting = new Set<object>();
  /** Of the last try. */
  let failure: BbxError | undefined;

  function say(error: unknown): void {
    // A full disk is said by its error alone; of another trouble the system's own words count.
    const isFull = error instanceof BbxError && error.code === 'BBX-STO-FULL';
    const what = isFull ? error.message : oneLine(error);
    failure = codes['BBX-MAS-LOG-STORE']({ what }, { cause: error });
    trouble.say(LOG_FILES, failure);
  }

  /** One that is written says nothing of the disk while others are not. */
  function works(): void {
    failure = undefined;
    if (waiting.size === 0) trouble.clear(LOG_FILES);
  }

  function stuck(who: object, isStuck: boolean): void {
    if (isStuck) waiting.add(who);
    else if (!waiting.delete(who) || waiting.size > 0) return;
    // Who waited needs the disk no more; nothing says that it has room.
    else if (failure !== undefined) trouble.say(LOG_FILES, failure, { forMs: FORGOTTEN_AFTER_MS });
    else trouble.clear(LOG_FILES);
  }

  /** Does `act` until it works. */
  async function persist<T>(act: () => Promise<T>): Promise<T> {
    const me = {};
    try {
      for (;;) {
        try {
          const value = await act();
          failure = undefined;
          stuck(me, false);
          works();
          return value;
        } catch (error) {
          if (!isWantOfRoom(error)) throw error;
          say(error);
          stuck(me, true);
          await sleep(RETRY_MS, signal);
        }
      }
    } finally {
      stuck(me, false);
    }
  }

  /** Of several failures the first counts: those after it are its consequence. */
  async function appendAll(logid: number, pieces: readonly LogBytes[]): Promise<number> {
    const results = await Promise.allSettled(
      pieces.map(({ offset, channel, at, bytes }) => files.append(logid, { offset, channel, at, bytes })),
    );
    let size = 0;
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      size = result.value;
    }
    return size;
  }

  return {
    async append(logid, pieces) {
      try {
        const size = await appendAll(logid, pieces);
        works();
        return size;
      } catch (error) {
        if (isWantOfRoom(error)) say(error);
        throw error;
      }
    },
    seal: (logid, expected) => persist(() => files.seal(logid, expected)),
    async sync(logids) {
      const sizes = new Map<number, number | Error>();
      const syncOne = async (logid: number) => {
        try {
          sizes.set(logid, (await files.sync([logid])).get(logid) ?? 0);
        } catch (error) {
          say(error);
          sizes.set(logid, error as Error);
        }
      };
      await Promise.all(logids.map(syncOne));
      return sizes;
    },
    async removeEmpty(logid) {
      try {
        if ((await files.size(logid)) > 0) return false;
        await files.remove(logid);
        return true;
      } catch {
        return false;
      }
    },
    stuck,
    get isStuck() {
      return waiting.size > 0;
    },
  };
}

import { sleep } from '../../base/abort.ts';
import { BbxError } from '../../base/error.ts';
import type { LogBytes } from '../../protocol/bbx/master-contract.ts';
import type { FinishedLog, LogFiles } from '../../store/log-files.ts';
import { codes } from './codes.ts';
import { LOG_FILES, oneLine, type TroubleList } from './trouble.ts';

/** After a failed write (a full disk), how long until the next try. */
const RETRY_MS = 1_000;

/** The files of logs, of which a full disk is no failure: it is said once, and waited for. */
export interface LogDisk {
  /**
   * Writes pieces that follow one another, handed over together; gives the log's size. While the disk is full it waits, but not once the
   * master is about to stop: it rejects then.
   */
  append(logid: number, pieces: readonly LogBytes[]): Promise<number>;
  /** `LogFiles.seal`, which waits while the disk is full, until the signal. */
  seal(logid: number, expected: { bytes?: number; sha256?: string }): Promise<FinishedLog>;
  /** `LogFiles.sync`; undefined: it failed, and what was not durable is not there any more. */
  sync(logids: readonly number[]): Promise<Map<number, number> | undefined>;
}

/** Writes logs, with patience. */
export function createLogDisk(options: {
  files: LogFiles;
  trouble: TroubleList;
  /** The master is about to stop. */
  hurried: () => boolean;
  /** Ends every wait. */
  signal: AbortSignal;
}): LogDisk {
  const { files, trouble, hurried, signal } = options;

  function say(error: unknown): void {
    // A full disk is said by its error alone; of another trouble the system's own words count.
    const isFull = error instanceof BbxError && error.code === 'BBX-STO-FULL';
    const what = isFull ? error.message : oneLine(error);
    trouble.say(LOG_FILES, codes['BBX-MAS-LOG-STORE']({ what }, { cause: error }));
  }

  /** Does `act` until it works. */
  async function persist<T>(act: () => Promise<T>, mayWait: () => boolean): Promise<T> {
    for (;;) {
      try {
        const value = await act();
        trouble.clear(LOG_FILES);
        return value;
      } catch (error) {
        if (!(error instanceof BbxError && error.retryable) || !mayWait()) throw error;
        say(error);
        await sleep(RETRY_MS, signal);
      }
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
    append: (logid, pieces) =>
      persist(
        () => appendAll(logid, pieces),
        () => !hurried(),
      ),
    seal: (logid, expected) =>
      persist(
        () => files.seal(logid, expected),
        () => true,
      ),
    async sync(logids) {
      try {
        return await files.sync(logids);
      } catch (error) {
        say(error);
        return undefined;
      }
    },
  };
}

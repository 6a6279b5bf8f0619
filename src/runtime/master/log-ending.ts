import { BbxError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import type { LogEnd } from '../../build/receipt.ts';
import type { FinishedLog, LogFiles } from '../../store/log-files.ts';
import { codes } from './codes.ts';
import type { LogDisk } from './log-disk.ts';
import { nameOf, type OpenLog } from './running.ts';
import type { TroubleList } from './trouble.ts';

/** What a row says of a log that is sealed; `expected` is the worker's word. */
export function endOf(
  { bytes, sha256, lines, damaged }: FinishedLog,
  expected: { bytes?: number; sha256?: string },
): LogEnd {
  const compared = expected.sha256 === undefined ? 'unhashed' : 'verified';
  const told = expected.bytes === undefined ? 'unsaid' : compared;
  return { bytes, sha256, lines, receipt: damaged.length > 0 ? 'holes' : told };
}

/** A flush has failed since, and taken bytes that had come. */
export class LostBytes extends Error {}

/** How logs end: sealed, and compared with the word of their worker. */
export interface LogEnding {
  /**
   * A difference is said loudly and stands in the receipt; the result of the build counts all the same. Waits for a full disk. All its bytes have come;
   * rejects with LostBytes when that is true no longer.
   */
  end(log: OpenLog, logid: number, expected: { bytes?: number; sha256?: string }): Promise<LogEnd>;
}

/** Seals logs, whatever their bytes are. */
export function createLogEnding(options: {
  disk: LogDisk;
  files: LogFiles;
  log: Log;
  trouble: TroubleList;
  /** Ends every wait. */
  signal: AbortSignal;
}): LogEnding {
  const { disk, files, log: say, trouble, signal } = options;

  /** As the disk has it: that may be nothing that can be read back. Rejects with LostBytes as `end` does. */
  async function endAnyhow(
    log: OpenLog,
    logid: number,
    expected: { bytes?: number; sha256?: string },
  ): Promise<LogEnd> {
    const size = await files.size(logid);
    try {
      // Of this size or not at all: a flush that fails takes bytes that the worker frees when it is told of the end.
      const { bytes, sha256, lines } = await disk.seal(logid, { bytes: size });
      return { bytes, sha256, lines, receipt: 'mismatch' };
    } catch (error) {
      if (signal.aborted) throw error;
      if (isOfSize(error)) {
        if (isLost(log, await files.size(logid), expected)) throw new LostBytes(error.message);
        return endAnyhow(log, logid, expected);
      }
      return { bytes: size, sha256: null, lines: null, receipt: 'mismatch' };
    }
  }

  return {
    async end(log, logid, expected) {
      try {
        return endOf(await disk.seal(logid, expected), expected);
      } catch (error) {
        if (!(error instanceof BbxError) || signal.aborted) throw error;
        if (isOfSize(error) && isLost(log, await files.size(logid), expected))
          throw new LostBytes(error.message);
        // Not retryable: the bytes are not those that the worker counted, or cannot be read back.
        const mismatch = codes['BBX-MAS-LOG-MISMATCH'](
          {
            build: nameOf(log.build),
            step: log.build.steps.get(log.step)?.name ?? String(log.step),
            log: log.name,
            expected: `${expected.bytes ?? '?'} bytes, sha256 ${expected.sha256 ?? '?'}`,
            got: error.message,
          },
          { cause: error },
        );
        say.error(mismatch.message, { code: mismatch.code });
        trouble.say(`log ${logid}`, mismatch);
        return endAnyhow(log, logid, expected);
      }
    },
  };
}

function isOfSize(error: unknown): error is BbxError {
  return error instanceof BbxError && error.code === 'BBX-STO-LOG-SIZE';
}

/** Whether its worker still has what is missing. What was durable it has freed: a file that is shorter is damaged for good. */
function isLost(log: OpenLog, size: number, expected: { bytes?: number }): boolean {
  return size < (expected.bytes ?? 0) && size >= log.stored;
}

import type { LogWriter } from '../../../build/journal.ts';

/** So much may wait for the disk while the next bytes are read: with less, reading and writing take turns. */
const BEHIND_BYTES = 1024 * 1024;

/** A log's writer that does not make its caller wait for every write. */
export interface WriteBehind extends LogWriter {
  /** Resolves when all is written; rejects with the first failure. */
  settle(): Promise<void>;
}

/** Writes behind: `write` gives a promise only while too much waits, and throws what an earlier write failed with. */
export function writeBehind(log: LogWriter): WriteBehind {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  let failed: { error: unknown } | undefined;
  return {
    write(channel, bytes) {
      if (failed !== undefined) throw failed.error;
      const written = log.write(channel, bytes);
      if (written === undefined) return undefined;
      waiting += bytes.length;
      last = written.then(
        () => void (waiting -= bytes.length),
        (error: unknown) => {
          waiting -= bytes.length;
          failed ??= { error };
          throw error;
        },
      );
      last.catch(() => undefined);
      return waiting > BEHIND_BYTES ? last : undefined;
    },
    async settle() {
      await last;
      if (failed !== undefined) throw failed.error;
    },
    finish: () => log.finish(),
  };
}

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { sleep } from '../base/abort.ts';
import { codes } from './codes.ts';
import type { Tx } from './database.ts';
import type { Engine } from './engine.ts';
import { createMutex } from './mutex.ts';

/** How long to ask again for the lock that another process holds. */
const BEGIN_MS = 10_000;

/** Pause between two such questions. */
const BEGIN_PAUSE_MS = 20;

/** Transactions on one connection, one at a time. */
export function createTransactions(engine: Engine, deps: { clock: Clock; log: Log; transactionMs?: number }) {
  const { clock, log, transactionMs = engine.transactionMs } = deps;
  const mutex = createMutex();

  const begin = async () => {
    const started = clock.monotonic();
    for (;;) {
      try {
        return await engine.writer.startTransaction().execute();
      } catch (error) {
        const waitedMs = Math.round(clock.monotonic() - started);
        if (!engine.isBusy(error)) throw error;
        if (waitedMs >= BEGIN_MS) {
          throw codes['BBX-STO-BUSY'](
            { what: 'another process still wrote to it', waitedMs },
            { cause: error },
          );
        }
        await sleep(BEGIN_PAUSE_MS);
      }
    }
  };

  return {
    /** One act that needs the connection for itself, without a transaction. */
    alone: <T>(act: () => Promise<T>): Promise<T> => mutex.run(act),

    /** Resolves when what `act` wrote is on the disk; meanwhile others may write, and share the flush. */
    run: async <T>(act: (tx: Tx) => Promise<T>): Promise<T> => {
      const value = await mutex.run(async () => {
        const tx = await begin();
        try {
          const made = await limited(act(tx), transactionMs, () => engine.overdue(transactionMs));
          const commit = () => tx.commit().execute();
          await (engine.flusher?.commit(commit) ?? commit());
          return made;
        } catch (error) {
          // A full disk may have ended the transaction already: then there is nothing to roll back, and that error is not the news.
          await tx
            .rollback()
            .execute()
            .catch((failure: unknown) => {
              log.debug('rolling back failed', { error: String(failure) });
            });
          throw error;
        }
      });
      await engine.flusher?.flush();
      return value;
    },
  };
}

/** The value of `work`, or an error when it takes longer than a transaction may. */
async function limited<T>(work: Promise<T>, ms: number, overdue: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(overdue()), ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

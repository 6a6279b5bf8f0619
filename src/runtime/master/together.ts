import { BbxError } from '../../base/error.ts';
import type { Tx } from '../../store/database.ts';
import type { Emit, Farm } from './events.ts';

type Act = (tx: Tx, emit: Emit) => Promise<void>;

/** Acts in one transaction: some milliseconds, so that others get their turn. */
const BATCH = 100;

/**
 * Changes that come while one is being written share the next transaction: a thousand workers that come back at once need a few commits
 * instead of a thousand. Each settles like a change of its own; one that fails takes no other along, unless it is the store that takes
 * nothing now: each would wait for that anew. An act may be done twice, when another of its batch fails.
 */
export function createTogether(farm: Farm): (act: Act) => Promise<void> {
  const waiting: { act: Act; done: PromiseWithResolvers<void> }[] = [];
  let working = false;

  async function work(): Promise<void> {
    working = true;
    // What arrived in the same turn of the event loop goes together, too.
    await new Promise((turn) => setImmediate(turn));
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await farm.change(async (tx, emit) => {
          for (const { act } of batch) await act(tx, emit);
        });
        for (const { done } of batch) done.resolve();
      } catch (error) {
        const all = batch.length === 1 || (error instanceof BbxError && error.retryable);
        if (all) for (const { done } of batch) done.reject(error);
        else for (const { act, done } of batch) await farm.change(act).then(done.resolve, done.reject);
      }
    }
    working = false;
  }

  return (act) => {
    const done = Promise.withResolvers<void>();
    waiting.push({ act, done });
    if (!working) void work();
    return done.promise;
  };
}

import type { Clock } from '../../../base/clock.ts';

/** How long changes have waited, by a clock that nobody sets. */
export interface Patience {
  /** Seconds that each of a scheduler's waiting changes has waited; those that no longer wait are forgotten. `now` is epoch seconds. */
  waits(
    scheduler: string,
    waiting: readonly { changeid: number; received_at: number }[],
    now: number,
  ): Map<number, number>;
}

/**
 * A change's age is taken from the wall clock when it is first looked at, which is at once or after the master's start, and counted on from
 * there: a tree-stable timer is neither cut short nor drawn out when somebody sets the time.
 */
export function createPatience(clock: Pick<Clock, 'monotonic'>): Patience {
  const schedulers = new Map<string, Map<number, { age: number; at: number }>>();
  return {
    waits(scheduler, waiting, now) {
      const monotonic = clock.monotonic() / 1000;
      const before = schedulers.get(scheduler);
      const seen = new Map(
        waiting.map(({ changeid, received_at }) => [
          changeid,
          before?.get(changeid) ?? { age: Math.max(0, now - received_at), at: monotonic },
        ]),
      );
      schedulers.set(scheduler, seen);
      return new Map([...seen].map(([changeid, { age, at }]) => [changeid, age + monotonic - at]));
    },
  };
}

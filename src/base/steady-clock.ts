import type { Clock } from './clock.ts';

/**
 * A clock whose wall time was read once and only goes on from there: between two of its times lies what a stopwatch would have measured, also
 * when somebody sets the machine's time meanwhile.
 */
export interface SteadyClock extends Clock {
  /** The wall time of a monotonic moment, epoch seconds. */
  wallAt(monotonicMs: number): number;
  /** Reads the machine's time anew. Only while nothing is being measured by this clock. */
  settle(): void;
  /**
   * Goes on from the wall time (epoch seconds) that another process's steady clock has shown, at most `lateS` seconds ago, where the two cannot be the same
   * time. Only while nothing is being measured by this one.
   */
  follow(wall: number, lateS: number): void;
}

/** Two readings of one moment may lie so far apart. */
const READING_S = 0.005;
/** Less is not worth a jump. */
const APART_S = 0.5;

/** Makes a steady clock of the machine's. */
export function createSteadyClock(clock: Clock): SteadyClock {
  const read = () => clock.wall() - clock.monotonic() / 1000;
  let start = read();
  const wallAt = (monotonicMs: number) => start + monotonicMs / 1000;
  return {
    wall: () => wallAt(clock.monotonic()),
    monotonic: () => clock.monotonic(),
    wallAt,
    settle() {
      const now = read();
      // A few microseconds back and forth would put times out of order for nothing.
      if (Math.abs(now - start) > READING_S) start = now;
    },
    follow(wall, lateS) {
      const told = wall - clock.monotonic() / 1000;
      // What was shown a while ago is behind by as much.
      if (told > start + APART_S || told < start - lateS - APART_S) start = told;
    },
  };
}

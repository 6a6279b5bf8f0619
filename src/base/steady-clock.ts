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
  /** Goes on from the wall time (epoch seconds) that another process's steady clock has shown just now. Only while nothing is being measured by this one. */
  follow(wall: number): void;
}

/** Two readings of one moment may lie so far apart. */
const READING_S = 0.005;
/** So long a message from process to process may take on a busy machine. */
const TOLD_S = 0.5;

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
    follow(wall) {
      const told = wall - clock.monotonic() / 1000;
      if (Math.abs(told - start) > TOLD_S) start = told;
    },
  };
}

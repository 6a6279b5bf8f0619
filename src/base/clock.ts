/** Time as a program is given it. `wall` is for people and rows, `monotonic` for every delay, lease and limit. */
export interface Clock {
  /** Epoch seconds with fractions, the unit of every time in rows, API and protocol. */
  wall(): number;
  /** Milliseconds from an arbitrary start that never go back, whatever happens to the system's time. */
  monotonic(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  wall: () => Date.now() / 1000,
  monotonic: () => performance.now(),
};

/** The longest delay of `setTimeout`, which fires at once for any longer one: what is later is looked at again then. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

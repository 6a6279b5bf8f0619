/** How far a peer's clock is ahead of ours, seconds; measured with one exchange, so half of its time is the error. */
export interface ClockFact {
  readonly ahead: number;
  readonly within: number;
  /** The time in a bbx master's greeting, or in the Date header of an HTTP answer. */
  readonly from: 'greeting' | 'Date';
}

/** Whether this host's clock is kept by NTP; `tool` null: nobody here could tell. */
export interface TimeSyncFacts {
  readonly at: string;
  readonly tool: string | null;
  /** What the tool said, its lines of interest. */
  readonly said: string;
  readonly synchronized: boolean | null;
  /** A program that keeps the clock is switched on. */
  readonly service: boolean | null;
}

/** One exchange: `told` is the peer's time, all in epoch ms. `roundMs`: how coarse the told time is. */
export function clockOf(
  asked: number,
  answered: number,
  told: number,
  from: ClockFact['from'],
  roundMs = 0,
): ClockFact {
  const within = (answered - asked + roundMs) / 2_000;
  const ahead = (told + roundMs / 2 - (asked + answered) / 2) / 1_000;
  return { ahead: Math.round(ahead * 1_000) / 1_000, within: Math.round(within * 1_000) / 1_000, from };
}

/** What happened to the clocks of this host, seconds. */
export interface ClockMoves {
  readonly at: string;
  /** How long it was watched; a watch lasts over many rounds. */
  readonly watched: number;
  /** How far somebody set the clock meanwhile, forward or back; what NTP slews is less than can be seen. */
  readonly jumped: number;
  /** How long the host slept meanwhile. */
  readonly slept: number;
  /** How long it has slept since it started. */
  readonly sleptInAll: number;
}

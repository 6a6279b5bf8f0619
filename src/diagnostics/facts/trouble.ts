import type { Family } from '../intent.ts';
import type { Attempt } from './paths.ts';

/** An answer of `ping` about one address. */
export interface PingFact {
  readonly address: string;
  readonly family: Family;
  /** `not asked`: ping itself could not send, most often for want of a privilege. */
  readonly outcome: 'answered' | 'silent' | 'not asked';
  /** Round trip; null where none came. */
  readonly ms: number | null;
  /** ping's own words, where there is no round trip. */
  readonly said: string;
}

export interface PingFacts {
  readonly at: string;
  /** False: there is no `ping` here. */
  readonly tool: boolean;
  readonly answers: readonly PingFact[];
}

/** Routers on the way to one address, as `mtr` heard of them. */
export interface TraceFact {
  readonly address: string;
  readonly family: Family;
  /** By their distance from 1 on; null: none of that distance answered. */
  readonly hops: readonly (string | null)[];
  /** Why mtr could not look; null: it did. */
  readonly problem: string | null;
}

export interface TraceFacts {
  readonly at: string;
  /** False: there is no `mtr` here. */
  readonly tool: boolean;
  readonly traces: readonly TraceFact[];
}

/** Connections to the same address in a row, with time between them. */
export interface SeriesFact {
  readonly address: string;
  readonly family: Family;
  readonly attempts: readonly Attempt[];
  /** The longest time for which this process itself did not run meanwhile; so much of any time may be its own. */
  readonly heldUpMs: number;
}

/** Connections to addresses that are nobody's, at the port of a target. */
export interface NobodyFacts {
  readonly at: string;
  readonly attempts: readonly Attempt[];
}

import type { Family } from '../intent.ts';

/** What a worker wrote down of somebody who took its name. */
export interface TakingFact {
  /** The worker's wall clock then, epoch ms. */
  readonly at: number;
  /** `replaced`: its session was ended for another's. `refused`: it and another had taken turns, and it was told to wait. */
  readonly kind: 'replaced' | 'refused';
  readonly words: string;
}

export interface LinkEndsFacts {
  readonly at: string;
  /** Epoch ms. */
  readonly now: number;
  /** The worker has written something down about its link, and this user may read it. */
  readonly readable: boolean;
  /** Oldest first. */
  readonly takings: readonly TakingFact[];
  /** When it was last let in, epoch ms. */
  readonly upAt: number | null;
}

/** One address of a web port, asked for `/health`. */
export interface HealthFact {
  readonly address: string;
  readonly family: Family;
  /** The status line's number; null: no HTTP came. */
  readonly status: number | null;
  /** The answer is, byte for byte, what a master of bbx says. */
  readonly exact: boolean;
  /** How the answer began, or why there was none. */
  readonly said: string;
  readonly ms: number;
}

export interface HealthFacts {
  readonly at: string;
  readonly addresses: readonly HealthFact[];
}

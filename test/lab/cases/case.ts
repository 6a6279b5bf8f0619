import type { Recipe } from '../stage/recipe.ts';

export interface LabCase {
  /** F13 as in the reference's table; `X…` are faults of our own, `P…` pairs, `C…` controls. */
  readonly id: string;
  readonly title: string;
  readonly recipe: Recipe;
  /** Words behind `bbx doctor`. */
  readonly doctor: readonly string[];
  /** Checks that may stand first; empty: nothing is wrong, and nothing may be said at warn or error. */
  readonly root: readonly string[];
  /** Effects, and second faults, that may be named as well. */
  readonly also?: readonly string[];
  /** It is a fact and no fault: found at `info` counts. */
  readonly fact?: true;
  /** The verdict of the target, where there is a right one. */
  readonly verdict?: 'reachable' | 'degraded' | 'wrong-peer' | 'unreachable' | 'unknown';
  /** Where other programs would connect to; none: they have no way to see it. */
  readonly target?: string;
}

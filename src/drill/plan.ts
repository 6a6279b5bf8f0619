import { BUILDERS, SOURCE_BUILDERS } from './builders.ts';
import type { Blow, Fault, Shape } from './fault.ts';
import { ofRound, pickWeighted, upTo } from './random.ts';

/** A build that somebody asks for in a round. */
export interface Ask {
  builder: string;
  /** Since the round began. */
  afterMs: number;
  /** Somebody wants it cancelled, so long after it was asked for. */
  cancelAfterMs?: number;
}

/** Everything that is drawn for a round; when each of it really happens is the machine's to decide. */
export interface RoundPlan {
  round: number;
  fault: Fault;
  blow: Blow;
  asks: readonly Ask[];
  strikeAfterMs: number;
}

/** Asks come before the blow, during it and right after it. */
const ASK_WITHIN_MS = 1_500;
const STRIKE_WITHIN_MS = 1_500;

/** The plan of one round of a series; the same for the same seed, number, faults and shape. */
export function planRound(seed: number, round: number, faults: readonly Fault[], shape: Shape): RoundPlan {
  const random = ofRound(seed, round);
  const fault = pickWeighted(random, faults);
  const blow = fault.draw(random, shape);
  const strikeAfterMs = upTo(random, STRIKE_WITHIN_MS);
  const sources = shape.git && fault.turnsCheckoutsRed !== true;
  const builders = Object.entries(BUILDERS)
    .filter(([name]) => sources || !SOURCE_BUILDERS.has(name))
    .map(([name, { weight }]) => ({ name, weight }));
  const asks = Array.from({ length: 2 + upTo(random, 4) }, (_, index): Ask => {
    const builder = pickWeighted(random, builders).name;
    const afterMs = index < 2 ? 0 : upTo(random, ASK_WITHIN_MS);
    return random() < 0.1 ? { builder, afterMs, cancelAfterMs: upTo(random, 1_500) } : { builder, afterMs };
  });
  return { round, fault, blow, asks, strikeAfterMs };
}

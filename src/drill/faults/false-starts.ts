import { seconds, upTo, type Random } from '../random.ts';

/** Starts that are cut short, by their age in ms: while it opens its store, while it adopts, right after. */
export function drawFalseStarts(random: Random): number[] {
  const count = random() < 0.7 ? 0 : 1 + upTo(random, 2);
  return Array.from({ length: count }, () => 50 + upTo(random, 800));
}

/** The same in words, behind others. */
export const falseWords = (falseStarts: readonly number[]) =>
  falseStarts.length === 0 ? '' : `, killed again after ${falseStarts.map(seconds).join(' and ')}`;

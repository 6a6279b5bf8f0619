/** Numbers from 0 to 1, the same ones for the same seed. */
export type Random = () => number;

/** A generator for a seed of up to 32 bits (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A generator for one round of a series: what a round does depends on its seed and number alone, so it can be repeated alone. */
export function ofRound(seed: number, round: number): Random {
  const random = seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b));
  // Neighbouring seeds are far apart only after a few numbers.
  for (let count = 0; count < 4; count += 1) random();
  return random;
}

/** A whole number from 0 to `most` − 1. */
export function upTo(random: Random, most: number): number {
  return Math.floor(random() * most);
}

/** One of a list that is not empty. */
export function pick<Value>(random: Random, from: readonly Value[]): Value {
  return from[upTo(random, from.length)] as Value;
}

/** One of a list, each as likely as its weight says. */
export function pickWeighted<Value extends { weight: number }>(
  random: Random,
  from: readonly Value[],
): Value {
  let left = random() * from.reduce((sum, { weight }) => sum + weight, 0);
  return from.find(({ weight }) => (left -= weight) < 0) ?? (from[0] as Value);
}

/** A length of time to be drawn, ms. */
export interface Span {
  least: number;
  /** Most of nine draws in ten. */
  usual: number;
  /** Most of the tenth. */
  seldom: number;
  /** Most of every draw with `long`. */
  most: number;
}

/**
 * How long something lasts, ms: mostly short, so that a thousand rounds end within the hour. Evenly by order of magnitude: as many draws between 0.1
 * and 1 s as between 1 and 10 s.
 */
export function lasting(random: Random, { least, usual, seldom, most }: Span, long: boolean): number {
  const tail = random() < 0.1;
  const top = long ? most : tail ? seldom : usual;
  return Math.round(least * (top / least) ** random());
}

/** Milliseconds as people read them. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

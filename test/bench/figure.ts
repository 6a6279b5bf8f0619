/** One measured figure beside a yardstick that was measured in the same run, on the same machine. */
export interface Figure {
  name: string;
  unit: 's' | 'ms' | 'MB/s' | 'builds/s';
  runs: number;
  median: number;
  min: number;
  max: number;
  yardstick: { name: string; median: number; min: number; max: number };
}

export interface Spread {
  median: number;
  min: number;
  max: number;
  runs: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN, runs: values.length };
}

export function figure(
  name: string,
  unit: Figure['unit'],
  own: Spread,
  yardstickName: string,
  yardstick: Spread,
): Figure {
  const { median, min, max, runs } = own;
  return {
    name,
    unit,
    runs,
    median,
    min,
    max,
    yardstick: { name: yardstickName, median: yardstick.median, min: yardstick.min, max: yardstick.max },
  };
}

/** Milliseconds that each of `runs` calls took, one after the other. */
export async function timed(runs: number, call: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    await call();
    taken.push(performance.now() - start);
  }
  return taken;
}

/** What a figure should be: as many times its yardstick at most (or at least, where more is better), or so much of its own unit. */
export type Reach = { atMost: number } | { atLeast: number };

/** One measured figure beside a yardstick that was measured in the same run, on the same machine. */
export interface Figure {
  name: string;
  unit: 's' | 'ms' | 'MB/s' | 'builds/s' | 'MB' | 'KB';
  runs: number;
  median: number;
  min: number;
  max: number;
  /** Without `reach` there is nothing to reach; of the ratio to the yardstick, unless `reachOf` says that it is the figure itself. */
  reach?: Reach;
  reachOf?: 'ratio' | 'value';
  yardstick: { name: string; median: number; min: number; max: number };
}

/** A cost over a growing amount of something, to be drawn: one point for each amount. */
export interface Curve {
  curve: string;
  x: { name: string; unit: string };
  y: { name: string; unit: string };
  points: Point[];
  /** What it stands beside: measured in the same run at the same amounts, or one line. */
  yardstick?: { name: string; points: Point[] } | { name: string; level: number };
}

export interface Point extends Spread {
  x: number;
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
  goal: Pick<Figure, 'reach' | 'reachOf'> = {},
): Figure {
  const { median, min, max, runs } = own;
  return {
    name,
    unit,
    runs,
    median,
    min,
    max,
    ...goal,
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

/** Milliseconds of several things, each done `runs` times in turn, so that a machine which is busy for a while is so for all of them. */
export async function inTurn<Name extends string>(
  runs: number,
  things: Record<Name, () => Promise<unknown>>,
): Promise<Record<Name, Spread>> {
  const taken = new Map<Name, number[]>();
  const names = Object.keys(things) as Name[];
  for (let run = 0; run < runs; run += 1) {
    for (const name of names) {
      const [ms = NaN] = await timed(1, things[name]);
      taken.set(name, [...(taken.get(name) ?? []), ms]);
    }
  }
  return Object.fromEntries(names.map((name) => [name, spread(taken.get(name) ?? [])])) as Record<
    Name,
    Spread
  >;
}

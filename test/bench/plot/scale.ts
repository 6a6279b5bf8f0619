/** One axis: what its values are, where they are drawn, and which of them are written beside it. */
export interface Scale {
  at(value: number): number;
  ticks: number[];
}

/** About so many steps on a linear axis. */
const STEPS = 5;

/** From nothing up to a round number that holds `max`, onto `from` … `to`. */
export function linearScale(max: number, from: number, to: number): Scale {
  const rough = max > 0 ? max / STEPS : 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((round) => power * round >= rough) ?? 10);
  const count = Math.max(1, Math.ceil(max / step - 1e-9));
  return {
    at: (value) => from + ((to - from) * value) / (count * step),
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

/** The measured amounts themselves are the ticks: they are few, and far apart. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const whole = Math.log(max / min) || 1;
  return {
    at: (value) => from + ((to - from) * Math.log(value / min)) / whole,
    ticks: [...new Set(values)].sort((a, b) => a - b),
  };
}

/** 100000 → "100,000"; 0.25 → "0.25". */
export function words(value: number): string {
  return value.toLocaleString('en-GB', { maximumSignificantDigits: value >= 1_000 ? 6 : 3 });
}

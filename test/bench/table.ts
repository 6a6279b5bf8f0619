import type { Curve, Figure } from './figure.ts';

/** One line for people: the figure, its yardstick, and whether it is what it should be. */
export function figureLine(found: Figure): string {
  const { yardstick, unit, runs } = found;
  const ratio = found.median / yardstick.median;
  const own = `${short(found.median)} ${unit} (${short(found.min)}–${short(found.max)}, ${runs} runs)`;
  return `${found.name}: ${own}; ${yardstick.name}: ${short(yardstick.median)}; ratio ${short(ratio)}${goalOf(found, ratio)}`;
}

export function curveLines({ curve, x, y, points }: Curve): string {
  const lines = points.map(
    (point) =>
      `  ${point.x} ${x.unit}: ${short(point.median)} ${y.unit} (${short(point.min)}–${short(point.max)}, ${point.runs} runs)`,
  );
  return `${curve}: ${y.name} over ${x.name}\n${lines.join('\n')}`;
}

function goalOf({ reach, reachOf = 'ratio', median, unit }: Figure, ratio: number): string {
  if (reach === undefined) return '';
  const value = reachOf === 'ratio' ? ratio : median;
  const [met, words] =
    'atMost' in reach
      ? [value <= reach.atMost, `≤ ${reach.atMost}`]
      : [value >= reach.atLeast, `≥ ${reach.atLeast}`];
  return `; ${reachOf === 'ratio' ? words : `${words} ${unit}`}: ${met ? 'reached' : 'missed'}`;
}

function short(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

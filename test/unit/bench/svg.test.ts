import { describe, expect, it } from 'vitest';
import { linearScale, logScale, words } from '../../bench/plot/scale.ts';
import { drawSvg, type Plot } from '../../bench/plot/svg.ts';

const point = (x: number, median: number) => ({ x, median, min: median / 2, max: median * 2 });
const plot: Plot = {
  title: 'Cost & <work>',
  x: { name: 'builds', unit: 'builds' },
  y: { name: 'time', unit: 'ms' },
  lines: [
    { name: 'own', points: [point(1, 10), point(100, 40)] },
    { name: 'bare', points: [point(1, 5)], yardstick: true },
  ],
  levels: [{ name: 'at most 100', level: 100 }],
};

describe('the scale of a picture', () => {
  it.each([
    [7, [0, 2, 4, 6, 8]],
    [100, [0, 20, 40, 60, 80, 100]],
    [0.26, [0, 0.1, 0.2, 0.3]],
    [0, [0, 1]],
  ])('holds %d with round numbers', (max, ticks) => {
    expect(linearScale(max, 0, 1).ticks).toEqual(ticks);
  });

  it('begins with the least amount, ends with the largest, and puts a tenfold one as far again', () => {
    const { at, ticks } = logScale([10, 1000, 100], 0, 50);
    expect([at(10), at(100), at(1000)].map(Math.round)).toEqual([0, 25, 50]);
    expect(ticks).toEqual([10, 100, 1000]);
  });

  it('stands a single amount at its beginning', () => {
    expect(logScale([5], 3, 50).at(5)).toBe(3);
  });

  it.each([
    [100_000, '100,000'],
    [0.25, '0.25'],
    [12.345, '12.3'],
  ])('writes %d as %s', (value, written) => {
    expect(words(value)).toBe(written);
  });
});

describe('a picture', () => {
  const svg = drawSvg(plot);

  it('names its units, its lines and its levels, and escapes what is markup', () => {
    for (const name of ['time, ms', 'builds', 'own', 'bare', 'at most 100', 'Cost &amp; &lt;work>'])
      expect(svg).toContain(`>${name}</`);
  });

  it('has a dot for each point, inside of it', () => {
    const dots = [...svg.matchAll(/<circle class="\w+" cx="([\d.]+)" cy="([\d.]+)"/g)];
    expect(dots).toHaveLength(3);
    for (const [, x, y] of dots) {
      expect(Number(x)).toBeGreaterThanOrEqual(64);
      expect(Number(x)).toBeLessThanOrEqual(656);
      expect(Number(y)).toBeGreaterThanOrEqual(60);
      expect(Number(y)).toBeLessThanOrEqual(300);
    }
  });

  it('is readable on a dark page too', () => {
    expect(svg).toContain('prefers-color-scheme: dark');
  });
});

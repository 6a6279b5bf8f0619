import { expect, it } from 'vitest';
import { fuzz } from '../rigs/fuzz/series.ts';

it('conversations with something wrong in them, toward either end, are answered or closed and break no promise', async () => {
  const report = await fuzz({ seed: 3, from: 0, to: 2_000 });
  expect(report.wrong).toEqual([]);
  expect(report.cases).toBe(2_000);
  // A series that only ever met one kind of end would test little.
  expect(Object.keys(report.ended)).toEqual(expect.arrayContaining(['answered', '4000', '1006']));
});

import { expect, it } from 'vitest';
import { graceOf, orphanAfter } from '../../../../src/runtime/master/orphan.ts';

it.each([10, 1_000, 60_000, 89_999, 90_000, 90_001, 600_000, 1e9])(
  'a worker ends an orphan before a grace of %i ms is over, and the grace is known from what it was told',
  (graceMs) => {
    expect(orphanAfter(graceMs) * 1_000).toBeLessThan(graceMs);
    expect(graceOf(orphanAfter(graceMs))).toBeCloseTo(graceMs, 3);
  },
);

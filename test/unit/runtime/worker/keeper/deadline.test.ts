import { expect, it } from 'vitest';
import { orphanLeftMs, tellEveryMs } from '../../../../../src/runtime/worker/keeper/deadline.ts';

it.each([
  { grace: null, silent: 1e9, left: Infinity, second: Infinity },
  { grace: 300, silent: 0, left: 285_000, second: 291_000 },
  { grace: 300, silent: 290_000, left: -5_000, second: 1_000 },
  { grace: 8, silent: 0, left: 6_000, second: 6_800 },
])(
  'of a grace of $grace s after $silent ms of silence $left ms are left; $second ms for who acts second',
  (row) => {
    expect(orphanLeftMs(row.grace, row.silent)).toBe(row.left);
    expect(orphanLeftMs(row.grace, row.silent, true)).toBe(row.second);
  },
);

it.each([
  { graces: [], every: 1_000 },
  { graces: [null, 300], every: 1_000 },
  { graces: [300, 2, null], every: 100 },
  { graces: [0.1], every: 50 },
])('a keeper of builds with graces of $graces s is told every $every ms', ({ graces, every }) => {
  expect(tellEveryMs(graces)).toBe(every);
});

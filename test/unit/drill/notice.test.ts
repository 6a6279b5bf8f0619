import { expect, it } from 'vitest';
import { lateNotice, linkNotice } from '../../../src/drill/notice.ts';
import type { Heard } from '../../../src/drill/watcher.ts';

const heard = (at: number, name: string, what: 'attached' | 'detached') =>
  ({ at, event: { type: 'worker.changed', name, what } }) as Heard;

it('sees a dead link by a new call of its worker or by the master that misses it, and by nobody else’s', () => {
  const [w1, w2] = [
    { name: 'w1', relay: { dials: [10, 90_000] } },
    { name: 'w2', relay: { dials: [20_000] } },
  ];
  expect(linkNotice([w1], 100, [heard(50, 'w1', 'detached'), heard(30_000, 'w2', 'detached')])).toBe(90_000);
  expect(linkNotice([w1], 100, [heard(200, 'w1', 'attached'), heard(40_000, 'w1', 'detached')])).toBe(40_000);
  expect(linkNotice([w1, w2], 100, [])).toBe(20_000);
  expect(linkNotice([w1], 95_000, [])).toBeUndefined();
});

const BLOW = { notice: { worker: 'w1', withinMs: 35_000 } };

it.each([
  ['is over before', { struck: 0, healed: 30_000, noticed: undefined }, undefined],
  ['is noticed in time', { struck: 0, healed: 90_000, noticed: 35_100 }, undefined],
  [
    'is noticed late',
    { struck: 0, healed: 90_000, noticed: 40_000 },
    'noticed after 40 s, and must be within 35 s',
  ],
  ['is never noticed', { struck: 0, healed: 90_000, noticed: undefined }, 'noticed never'],
])('tells of a link that %s', (_, times, words) => {
  if (words === undefined) expect(lateNotice(BLOW, times)).toBeUndefined();
  else expect(lateNotice(BLOW, times)).toContain(words);
});

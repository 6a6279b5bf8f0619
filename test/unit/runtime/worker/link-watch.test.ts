import { expect, it } from 'vitest';
import { compareReadings } from '../../../../src/runtime/worker/link-watch.ts';

const before = { wall: 1_000, monotonic: 50, elapsed: 700 };
const after = (wall: number, monotonic: number, elapsed: number) => ({
  wall: before.wall + wall,
  monotonic: before.monotonic + monotonic,
  elapsed: before.elapsed + elapsed,
});

it.each([
  ['nothing', after(5, 5, 5), []],
  ['nothing, when a clock is read a little later', after(5.4, 5.1, 5.2), []],
  ['the time was set forward', after(3_605, 5, 5), [{ kind: 'clock', by: 3_600 }]],
  ['the time was set back', after(-3_595, 5, 5), [{ kind: 'clock', by: -3_600 }]],
  ['the machine slept', after(605, 5, 605), [{ kind: 'slept', seconds: 600 }]],
  ['the process was stopped', after(65, 65, 65), [{ kind: 'stalled', seconds: 60 }]],
  [
    'it slept, and its time was set when it woke',
    after(705, 5, 605),
    [
      { kind: 'slept', seconds: 600 },
      { kind: 'clock', by: 100 },
    ],
  ],
])('of three clocks it sees: %s', (_, now, facts) => {
  expect(compareReadings(before, now, 5)).toEqual(facts);
});

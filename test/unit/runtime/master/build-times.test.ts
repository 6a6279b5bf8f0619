import { expect, it } from 'vitest';
import { createSteadyClock } from '../../../../src/base/steady-clock.ts';
import type { MasterSession } from '../../../../src/protocol/bbx/master-contract.ts';
import { createBuildTimes } from '../../../../src/runtime/master/build-times.ts';

/** A master whose clocks the test moves, and one session. */
function setUp() {
  const at = { wall: 10_000, monotonic: 0 };
  const clock = { wall: () => at.wall, monotonic: () => at.monotonic };
  const steady = createSteadyClock(clock);
  const session = {} as MasterSession;
  return {
    session,
    times: createBuildTimes(clock, steady),
    /** Time passes. */
    pass(seconds: number) {
      at.wall += seconds;
      at.monotonic += seconds * 1000;
    },
    jump: (seconds: number) => void (at.wall += seconds),
  };
}

it.each([3_600, -3_600, 0.5, -0.5, 0])(
  'a worker whose clock is %s s off times builds by the master’s',
  (off) => {
    const { times, session, pass } = setUp();
    times.learn(session, { ahead: -off });
    const build = { lastAt: 10_000 };
    pass(60);
    expect(Math.abs(times.place(build, session, 10_030 + off) - 10_030)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(times.place(build, session, 10_050 + off) - 10_050)).toBeLessThanOrEqual(0.5);
  },
);

it.each([3_600, -3_600])('a master whose own clock jumps by %s s goes on in the times of what runs', (by) => {
  const { times, session, pass, jump } = setUp();
  times.learn(session, { ahead: 0 });
  const build = { lastAt: 10_000 };
  pass(10);
  jump(by);
  pass(10);
  expect(times.place(build, session, 10_015)).toBe(10_015);
  // A session that begins after the jump measures another difference, and comes to the same.
  const later = {} as MasterSession;
  times.learn(later, { ahead: by });
  pass(10);
  expect(times.place(build, later, 10_025)).toBeCloseTo(10_025);
});

it('never goes back within a build, nor past the present, whatever a worker says', () => {
  const { times, session, pass } = setUp();
  times.learn(session, { ahead: 0 });
  const build = { lastAt: 10_000 };
  pass(10);
  const placed = [10_008, 10_003, 9e99, -5].map((at) => times.place(build, session, at));
  expect(placed).toEqual([10_008, 10_008, 10_010, 10_010]);
});

it('takes the word of a worker that says nothing of its clock, within those bounds', () => {
  const { times, session, pass } = setUp();
  const build = { lastAt: 10_000 };
  pass(10);
  expect(times.place(build, session, 10_004)).toBe(10_004);
  expect(times.place(build, session, 6_400)).toBe(10_004);
});

import { expect, it } from 'vitest';
import { createSteadyClock } from '../../../src/base/steady-clock.ts';

it('goes on as a stopwatch does, whatever the machine’s time does', () => {
  const at = { wall: 1_000, monotonic: 0 };
  const clock = createSteadyClock({ wall: () => at.wall, monotonic: () => at.monotonic });
  at.monotonic = 2_000;
  at.wall = 4_600;
  expect(clock.wall()).toBe(1_002);
  at.monotonic = 3_000;
  at.wall = -2_000;
  expect(clock.wall()).toBe(1_003);
  expect(clock.wallAt(500)).toBe(1_000.5);
});

it('takes over the machine’s time when it is told to, and leaves microseconds alone', () => {
  const at = { wall: 1_000, monotonic: 0 };
  const clock = createSteadyClock({ wall: () => at.wall, monotonic: () => at.monotonic });
  at.wall = 1_000.001;
  clock.settle();
  expect(clock.wall()).toBe(1_000);
  at.wall = 4_600;
  clock.settle();
  expect(clock.wall()).toBe(4_600);
});

it('goes on from another one’s time, where that cannot be its own, told late', () => {
  const at = { wall: 1_000, monotonic: 5_000 };
  const clock = createSteadyClock({ wall: () => at.wall, monotonic: () => at.monotonic });
  clock.follow(981, 20);
  expect(clock.wall()).toBe(1_000);
  clock.follow(1_000.3, 20);
  expect(clock.wall()).toBe(1_000);
  clock.follow(970, 20);
  expect(clock.wall()).toBe(970);
  clock.follow(4_600, 20);
  expect(clock.wall()).toBe(4_600);
  at.monotonic = 7_000;
  expect(clock.wall()).toBe(4_602);
});

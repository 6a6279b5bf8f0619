import { expect, it } from 'vitest';
import { enterVirtualTime } from '../../rigs/virtual-time.ts';

it('passes to the next timer as soon as nothing else is to be done, in the order of the timers', async () => {
  const before = performance.now();
  const order: string[] = [];
  using time = enterVirtualTime();
  const late = Promise.withResolvers<void>();
  setTimeout(() => late.resolve(), 3_600_000);
  setTimeout(() => order.push('second'), 20);
  setTimeout(() => order.push('first'), 10);
  setImmediate(() => order.push('at once'));
  clearTimeout(setTimeout(() => order.push('never'), 5));
  await late.promise;
  expect(order).toEqual(['at once', 'first', 'second']);
  expect(time.clock.monotonic()).toBeGreaterThanOrEqual(3_600_000);
  expect(performance.now() - before).toBeLessThan(600_000);
});

it('does not pass over what is busy, and yet ends who is busy for ever', async () => {
  using time = enterVirtualTime();
  let turns = 0;
  const go = () => {
    turns += 1;
    if (turns < 1_000_000) setImmediate(go);
  };
  go();
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(turns).toBeGreaterThan(10);
  expect(turns).toBeLessThan(1_000);
  expect(time.clock.monotonic()).toBeLessThan(2);
  turns = Infinity;
});

it('says what timers are left, and gives the real ones back', async () => {
  const real = setTimeout;
  {
    using time = enterVirtualTime();
    const left = setInterval(() => undefined, 10);
    setTimeout(() => undefined, 100);
    expect(await time.pass(1_000)).toBe(1);
    clearInterval(left);
    expect(await time.pass(1_000)).toBe(0);
  }
  expect(setTimeout).toBe(real);
});

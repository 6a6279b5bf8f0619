import { sleep } from '../../base/abort.ts';
import type { Fault } from '../fault.ts';
import { lasting, pick, seconds } from '../random.ts';

const HOUR_S = 3_600;

/** The wall clock of one side jumps, and later back. Only `Date` of its processes jumps: the system's clock is everybody's. */
function jump(
  name: string,
  title: string,
  choose: (random: () => number, workers: readonly string[]) => string,
): Fault {
  return {
    name,
    title,
    holds: 'as if nothing: leases, limits and waits go by a clock that no change of the time moves',
    weight: 1,
    draw(random, { workers, long }) {
      const who = choose(random, workers);
      const by = (random() < 0.5 ? -1 : 1) * HOUR_S;
      const ms = lasting(random, { least: 200, usual: 2_000, seldom: 10_000, most: 60_000 }, long);
      return {
        words: `the clock of ${who} jumps by ${by > 0 ? '+' : '−'}1 h, and back after ${seconds(ms)}`,
        mercy: 'untouched',
        async strike(farm, { signal }) {
          const machine = who === 'the master' ? farm.master : farm.worker(who);
          await machine.jump(by);
          await sleep(ms, signal).finally(() => machine.jump(0));
        },
      };
    },
  };
}

export const CLOCK_FAULTS: readonly Fault[] = [
  jump('clock-master', "the master's clock jumps by an hour", () => 'the master'),
  jump('clock-worker', "a worker's clock jumps by an hour", pick),
];

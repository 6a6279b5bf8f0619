import { sleep } from '../../base/abort.ts';
import type { Fault } from '../fault.ts';
import { drawFalseStarts, falseWords, startAgain } from './false-starts.ts';
import { lasting, seconds, upTo } from '../random.ts';
import { MASTER_STOP_MS, type Sandbox } from '../sandbox.ts';

/** Of rounds in which the master is away for longer. */
const GRACE_S = 4;
const AWAY = { least: 100, usual: 2_000, seldom: 10_000, most: 60_000 };

async function comeBack(farm: Sandbox, falseStarts: readonly number[], signal: AbortSignal): Promise<void> {
  await startAgain(farm.master, falseStarts, signal);
  await farm.masterAnswers();
}

export const MASTER_FAULTS: readonly Fault[] = [
  {
    name: 'master-kill',
    title: 'the master is killed with -9 and comes back',
    holds:
      'the same builds go on and end right; every byte of a log once, in order; no event lost or doubled',
    weight: 4,
    draw(random, { long }) {
      const away = lasting(random, AWAY, long);
      const falseStarts = drawFalseStarts(random);
      return {
        words: `kill -9 the master, back after ${seconds(away)}${falseWords(falseStarts)}`,
        mercy: 'untouched',
        async strike(farm, { signal }) {
          await farm.master.program.end('SIGKILL', 1_000);
          await sleep(away, signal);
          await comeBack(farm, falseStarts, signal);
        },
      };
    },
  },
  {
    name: 'master-stop',
    title: 'the master is stopped in good order and started again',
    holds: 'it ends with 0 in seconds, whatever runs; the rest as for a killed one',
    weight: 2,
    draw(random, { long }) {
      const away = lasting(random, AWAY, long);
      return {
        words: `stop the master, back after ${seconds(away)}`,
        mercy: 'untouched',
        async strike(farm, { signal, wrong }) {
          const code = await farm.master.program.end('SIGTERM', MASTER_STOP_MS);
          if (code !== 0) wrong(`the master ended with ${code} when it was told to stop`);
          await sleep(away, signal);
          await comeBack(farm, [], signal);
        },
      };
    },
  },
  {
    name: 'master-away',
    title: 'the master is away for longer than the grace',
    holds: 'orphans end before the grace is over, and are built again; nothing runs twice',
    weight: 1,
    draw(random, { workers, long }) {
      const away =
        GRACE_S * 1_000 +
        200 +
        lasting(random, { least: 100, usual: 2_000, seldom: 5_000, most: 60_000 }, long);
      return {
        words: `kill -9 the master, back after ${seconds(away)}, with a grace of ${GRACE_S} s`,
        grace: `${GRACE_S}s`,
        mercy: 'givenUp',
        hit: workers,
        async strike(farm, { signal }) {
          await farm.master.program.end('SIGKILL', 1_000);
          await sleep(away, signal);
          await comeBack(farm, [], signal);
        },
      };
    },
  },
  {
    name: 'reload',
    title: 'the configuration is changed and applied, again and again',
    holds: 'as if nothing',
    weight: 1,
    draw(random) {
      const pauses = Array.from({ length: 1 + upTo(random, 4) }, () => upTo(random, 500));
      return {
        words: `apply ${pauses.length} other ${pauses.length === 1 ? 'configuration' : 'configurations'}`,
        mercy: 'untouched',
        async strike(farm, { signal }) {
          for (const pause of pauses) {
            await farm.configure({ grace: '10m' });
            await sleep(pause, signal);
          }
        },
      };
    },
  },
];

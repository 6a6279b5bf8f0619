import { sleep } from '../../base/abort.ts';
import type { Fault } from '../fault.ts';
import { drawFalseStarts, falseWords, startAgain } from './false-starts.ts';
import { killAll } from '../processes.ts';
import { until } from '../program.ts';
import { lasting, pick, seconds, upTo } from '../random.ts';
import { WORKER_STOP_MS, type Sandbox } from '../sandbox.ts';

const AWAY = { least: 100, usual: 2_000, seldom: 10_000, most: 60_000 };
/** Of rounds in which a machine is lost for good: short, but several times the second after which a keeper hears of its master again. */
const GRACE_S = 4;
/** The builder whose build is lost three times: long enough to be met while it runs. */
const VICTIM = 'long';
/** An attempt must begin so soon after the one before was given up, ms. */
const NEXT_ATTEMPT_MS = 30_000;

export const WORKER_FAULTS: readonly Fault[] = [
  {
    name: 'worker-kill',
    title: "a worker's process is killed with -9 and comes back",
    holds: 'steps go on under their keeper: the same builds end right, every byte of a log once, one attempt',
    weight: 4,
    draw(random, { workers, long }) {
      const name = pick(random, workers);
      const away = lasting(random, AWAY, long);
      const falseStarts = drawFalseStarts(random);
      return {
        words: `kill -9 ${name}, back after ${seconds(away)}${falseWords(falseStarts)}`,
        mercy: 'untouched',
        async strike(farm, { signal }) {
          const worker = farm.worker(name);
          await worker.program.end('SIGKILL', 1_000);
          await sleep(away, signal);
          await startAgain(worker, falseStarts, signal);
        },
      };
    },
  },
  {
    name: 'worker-stop',
    title: 'a worker is stopped in good order and started again',
    holds: 'its builds end first, it takes no new ones, and it ends with 0',
    weight: 1,
    draw(random, { workers, long }) {
      const name = pick(random, workers);
      const away = lasting(random, AWAY, long);
      return {
        words: `stop ${name} in good order, back after ${seconds(away)}`,
        mercy: 'untouched',
        async strike(farm, { signal, wrong }) {
          const worker = farm.worker(name);
          const code = await worker.program.end('SIGTERM', WORKER_STOP_MS);
          if (code !== 0) wrong(`${name} ended with ${code} when it was told to stop`);
          await sleep(away, signal);
          await worker.launch();
        },
      };
    },
  },
  {
    name: 'worker-stop-now',
    title: 'a worker is stopped at once, builds too, by a second signal',
    holds: 'its builds are built again; it ends with 0',
    weight: 1,
    draw(random, { workers }) {
      const name = pick(random, workers);
      // A second signal within 0.3 s is taken for the same wish.
      const between = 350 + upTo(random, 400);
      return {
        words: `stop ${name} with two signals, ${seconds(between)} apart`,
        mercy: 'givenUp',
        hit: [name],
        async strike(farm, { signal, wrong }) {
          const worker = farm.worker(name);
          worker.program.kill('SIGTERM');
          await sleep(between, signal);
          const code = await worker.program.end('SIGTERM', WORKER_STOP_MS);
          if (code !== 0) wrong(`${name} ended with ${code} when it was told twice to stop`);
          await worker.launch();
        },
      };
    },
  },
  {
    name: 'machine-gone',
    title: "a worker's machine is gone, with all that ran on it, for longer than the grace",
    holds: 'its builds are built again, once, after the grace; what the machine brings back is fenced off',
    weight: 2,
    draw(random, { workers, long }) {
      const name = pick(random, workers);
      const away =
        GRACE_S * 1_000 +
        500 +
        lasting(random, { least: 100, usual: 2_000, seldom: 5_000, most: 60_000 }, long);
      return {
        words: `the machine of ${name} is gone, back after ${seconds(away)}, with a grace of ${GRACE_S} s`,
        grace: `${GRACE_S}s`,
        mercy: 'givenUp',
        hit: [name],
        async strike(farm, { signal }) {
          await loseMachine(farm, name);
          await sleep(away, signal);
          await farm.worker(name).launch();
        },
      };
    },
  },
  {
    name: 'machine-gone-thrice',
    title: 'every machine that builds a request is lost, three times',
    holds: 'the request ends as exception, and is not built a fourth time',
    weight: 0.5,
    draw(_random, { workers }) {
      return {
        words: `lose the machine of each attempt at one build, three times, with a grace of ${GRACE_S} s`,
        grace: `${GRACE_S}s`,
        mercy: 'givenUp',
        hit: workers,
        async strike(farm, { signal, wrong }) {
          const { heard } = farm.watcher;
          const body = { builder: VICTIM, reason: 'drill: to be lost three times' };
          const { buildrequestid: id } = await farm.client.call('startBuild', { body }, { signal });
          const attempts = () =>
            heard.flatMap(({ event }) =>
              event.type === 'build.started' && event.buildrequestid === id ? [event] : [],
            );
          for (let attempt = 1; attempt <= 3; attempt += 1) {
            await until(
              `attempt ${attempt} at a lost build begins`,
              NEXT_ATTEMPT_MS,
              () => attempts().length >= attempt,
              signal,
            );
            const name = attempts()[attempt - 1]!.worker;
            await loseMachine(farm, name);
            await sleep(GRACE_S * 1_000 + 500, signal);
            await farm.worker(name).launch();
          }
          const finished = () =>
            heard.some(({ event }) => event.type === 'request.finished' && event.buildrequestid === id);
          await until('a build that was lost three times ends', NEXT_ATTEMPT_MS, finished, signal);
          const { result } = await farm.client.call('request', { params: { request: `r${id}` } }, { signal });
          if (result !== 'exception') wrong(`a build that was lost three times ended as ${result}`);
          if (attempts().length !== 3)
            wrong(`${attempts().length} attempts at a build that was lost three times`);
        },
      };
    },
  },
];

/** Worker, keeper and steps end at the same moment, as when the power goes. */
async function loseMachine(farm: Sandbox, name: string): Promise<void> {
  const { program, dir } = farm.worker(name);
  program.kill('SIGKILL');
  await killAll(dir);
  await program.ended;
}

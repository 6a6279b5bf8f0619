import { sleep } from '../../base/abort.ts';
import type { Fault } from '../fault.ts';
import { lasting, pick, seconds, upTo } from '../random.ts';
import type { Direction } from '../relay.ts';

/** The tail goes beyond the 35 s after which a silent link is dead. */
const SPAN = { least: 100, usual: 3_000, seldom: 45_000, most: 300_000 };
const NOTICE_MS = 35_000;

/** A silent line: `directions` stop, and when they flow again the firewall may have forgotten the connection. */
function silent(
  name: string,
  title: string,
  weight: number,
  choose: (random: () => number) => { directions: Direction[]; words: string },
): Fault {
  return {
    name,
    title,
    holds: `as if nothing; a dead link is noticed within ${seconds(NOTICE_MS)}`,
    weight,
    draw(random, { workers, long }) {
      const worker = pick(random, workers);
      const { directions, words } = choose(random);
      const ms = lasting(random, SPAN, long);
      const forgotten = random() < 0.3;
      return {
        words: `${words} ${worker} for ${seconds(ms)}${forgotten ? ', then its connections are reset' : ''}`,
        mercy: 'untouched',
        notice: { worker, withinMs: NOTICE_MS },
        async strike(farm, { signal }) {
          const { relay } = farm.worker(worker);
          relay.hold(...directions);
          await sleep(ms, signal).finally(() => {
            if (forgotten) relay.reset();
            relay.heal();
          });
        },
      };
    },
  };
}

export const LINK_FAULTS: readonly Fault[] = [
  silent('link-cut', "a worker's line is cut: nothing passes and nothing is closed", 3, () => ({
    directions: ['up', 'down'],
    words: 'cut the line of',
  })),
  silent('link-one-way', "a worker's line passes bytes in one direction only", 2, (random) => {
    const up = random() < 0.5;
    return up
      ? { directions: ['up'], words: 'lose what is sent by' }
      : { directions: ['down'], words: 'lose what is sent to' };
  }),
  {
    name: 'link-half-open',
    title: 'one end of a connection is told that it is over, the other is not',
    holds: 'as if nothing; the end that is not told finds out by silence',
    weight: 1.5,
    draw(random, { workers, long }) {
      const worker = pick(random, workers);
      // A worker that is not told finds out by 35 s of silence.
      const told = random() < (long ? 0.5 : 0.9) ? 'worker' : 'master';
      return {
        words: `half-open the link of ${worker}; only ${told === 'worker' ? 'it' : 'the master'} is told`,
        mercy: 'untouched',
        async strike(farm) {
          farm.worker(worker).relay.halfOpen(told);
        },
      };
    },
  },
  {
    name: 'link-slow',
    title: "a worker's line is slow and late",
    holds: 'as if nothing, only later',
    weight: 1,
    draw(random, { workers, long }) {
      const worker = pick(random, workers);
      const bytesPerSecond = Math.round(2_000 * 100 ** random());
      const latencyMs = 2 + upTo(random, 200);
      const ms = lasting(random, { least: 300, usual: 3_000, seldom: 10_000, most: 300_000 }, long);
      return {
        words: `slow ${worker} down to ${(bytesPerSecond / 1_000).toFixed(0)} kB/s and ${latencyMs} ms for ${seconds(ms)}`,
        mercy: 'untouched',
        async strike(farm, { signal }) {
          const { relay } = farm.worker(worker);
          relay.slow({ bytesPerSecond, latencyMs });
          await sleep(ms, signal).finally(() => relay.heal());
        },
      };
    },
  },
  {
    name: 'link-reset',
    title: 'connections are reset, once or again and again',
    holds: 'as if nothing',
    weight: 2,
    draw(random, { workers }) {
      const hit = random() < 0.5 ? workers : [pick(random, workers)];
      const pauses =
        random() < 0.5 ? [0] : Array.from({ length: 2 + upTo(random, 8) }, () => upTo(random, 400));
      const times = pauses.length === 1 ? 'once' : `${pauses.length} times`;
      return {
        words: `reset the links of ${hit.join(' and ')} ${times}`,
        mercy: 'untouched',
        async strike(farm, { signal }) {
          for (const pause of pauses) {
            for (const name of hit) farm.worker(name).relay.reset();
            await sleep(pause, signal);
          }
        },
      };
    },
  },
];

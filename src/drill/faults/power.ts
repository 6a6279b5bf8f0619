import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../base/abort.ts';
import { askForMore } from '../ask.ts';
import type { Fault } from '../fault.ts';
import { recordedDisk } from '../power/disk.ts';
import { keepBase, layOut } from '../power/lay-out.ts';
import { RECORD_ENV, recordWords } from '../power/strace.ts';
import { readTrace } from '../power/trace.ts';
import { processesOf } from '../processes.ts';
import { until } from '../program.ts';
import { lasting, seconds, seeded, upTo, type Random } from '../random.ts';
import type { Sandbox } from '../sandbox.ts';

/** So long the master runs before its power goes, ms. */
const ON = { least: 200, usual: 2_000, seldom: 5_000, most: 20_000 };
const AWAY = { least: 100, usual: 1_000, seldom: 5_000, most: 60_000 };
/** What was recorded is written out so soon after the end, ms. */
const RECORDED_MS = 30_000;

/** What the master has not synced is kept, torn or lost, as a machine without power leaves it. */
export const POWER_FAULTS: readonly Fault[] = [
  {
    name: 'power-loss',
    title: "the master's machine loses its power: what was not synced is kept, torn or lost",
    holds: 'what anybody had been told of is there; the rest as for a killed master',
    weight: 1,
    needs: 'strace',
    draw(random, { long }) {
      const on = lasting(random, ON, long);
      const away = lasting(random, AWAY, long);
      const torn = upTo(random, 2 ** 32);
      return {
        words: `cut the power of the master after ${seconds(on)}, back after ${seconds(away)}`,
        mercy: 'untouched',
        async strike(farm, { signal }) {
          await farm.master.program.end('SIGKILL', 1_000);
          const dir = join(farm.dir, 'power');
          await mkdir(dir);
          try {
            await record(farm, dir, on, signal);
            await lose(farm, dir, seeded(torn));
          } finally {
            await rm(dir, { recursive: true, force: true });
          }
          await sleep(away, signal);
          await farm.master.launch();
          await farm.masterAnswers();
        },
      };
    },
  },
];

const base = (dir: string) => join(dir, 'base');
const trace = (dir: string) => join(dir, 'trace');

/** Keeps the master's directory as it is, and has a master run on it for a while, until it is killed, of which every call to its disk is recorded. */
async function record(farm: Sandbox, dir: string, forMs: number, signal: AbortSignal): Promise<void> {
  await keepBase(farm.seen(farm.master.dir), base(dir));
  const program = await farm.master.launch({ before: recordWords(trace(dir)), env: RECORD_ENV });
  await farm.masterAnswers();
  await askForMore(farm, 'drill: before the power goes', signal);
  await sleep(forMs, signal);
  await program.end('SIGKILL', 1_000);
  await until('the record is whole', RECORDED_MS, () => processesOf(trace(dir)).length === 0, signal);
}

/** Puts in the place of the master's directory what the power loss leaves of it. */
async function lose(farm: Sandbox, dir: string, random: Random): Promise<void> {
  const { dir: root } = farm.master;
  const calls = await readTrace(trace(dir), root);
  if (calls.length === 0) throw new Error('nothing was recorded of what the master wrote');
  const disk = await recordedDisk(base(dir), root, calls);
  await layOut(disk.cut(Infinity, random), base(dir), farm.seen(root));
}

import { join } from 'node:path';
import { startBbx } from '../../rigs/bbx.ts';
import { startFarm } from '../../rigs/farm.ts';
import { figure, spread, timed, type Figure } from '../figure.ts';
import { opened } from '../opened.ts';
import { ended } from '../process.ts';

const RUNS = 10;

/** From starting the processes of a farm that has been at work before, to what they are for; beside `node -e 0`. */
export async function farmStart(): Promise<Figure[]> {
  const taken = await farmTimes(RUNS);
  const node = spread(taken.bare);
  const of = (name: string, own: number[], atMost: number) =>
    figure(name, 's', spread(own), 'node -e 0', node, { reach: { atMost }, reachOf: 'value' });
  return [
    of('master start → worker port open', taken.master, 0.3),
    of('worker start → attached', taken.worker, 0.3),
    of('both at once → attached', taken.both, 0.6),
  ];
}

/** Seconds of each run. */
export async function farmTimes(runs: number) {
  await using farm = await startFarm({ workers: ['w1'], config: 'workers: { w1: {} }\n' });
  const port = Number(/\d+$/.exec(farm.address)?.[0]);
  const where = { cwd: farm.dir };
  const workerDir = join(farm.dir, 'w1');
  const master = () => startBbx(['run', 'master', farm.masterDir], where);
  const worker = () => startBbx(['run', 'worker', workerDir], where);
  const attached = /Connected to the master/;
  await farm.workers.get('w1')?.end();
  await farm.master.end();

  const taken = {
    master: [] as number[],
    worker: [] as number[],
    both: [] as number[],
    bare: [] as number[],
  };
  for (let run = 0; run < runs; run += 1) {
    const [ms = NaN] = await timed(1, () => ended(['-e', '0']));
    taken.bare.push(ms / 1000);
    let start = performance.now();
    await using first = master();
    await opened(port);
    taken.master.push((performance.now() - start) / 1000);
    await first.waitFor(/Look at it/);

    start = performance.now();
    await using second = worker();
    await second.waitFor(attached);
    taken.worker.push((performance.now() - start) / 1000);
    await second.end();
    await first.end();

    start = performance.now();
    await using third = master();
    await using fourth = worker();
    await fourth.waitFor(attached);
    taken.both.push((performance.now() - start) / 1000);
    await fourth.end();
    await third.end();
  }
  return taken;
}

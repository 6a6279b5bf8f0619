import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { startBbx } from '../../rigs/bbx.ts';
import { startFarm } from '../../rigs/farm.ts';
import { figure, spread, timed, type Figure } from '../figure.ts';
import { ended } from '../process.ts';

const RUNS = 10;
/** Between two tries to connect; a try costs the machine next to nothing. */
const TRY_EVERY_MS = 2;
const LIMIT_MS = 20_000;

/** From starting the processes of a farm that has been at work before, to what they are for; beside `node -e 0`. */
export async function farmStart(): Promise<Figure[]> {
  await using farm = await startFarm({ workers: ['w1'], config: 'workers: { w1: {} }\n' });
  const port = Number(/\d+$/.exec(farm.address)?.[0]);
  const where = { cwd: farm.dir };
  const workerDir = join(farm.dir, 'w1');
  const master = () => startBbx(['run', 'master', farm.masterDir], where);
  const worker = () => startBbx(['run', 'worker', workerDir], where);
  const attached = /Connected to the master/;
  await farm.workers.get('w1')?.end();
  await farm.master.end();

  const taken = { master: [] as number[], worker: [] as number[], both: [] as number[] };
  const bare: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    bare.push(...(await timed(1, () => ended(['-e', '0']))));
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
  const node = spread(bare.map((ms) => ms / 1000));
  const of = (name: string, own: number[], atMost: number) =>
    figure(name, 's', spread(own), 'node -e 0', node, { reach: { atMost }, reachOf: 'value' });
  return [
    of('master start → worker port open', taken.master, 0.3),
    of('worker start → attached', taken.worker, 0.3),
    of('both at once → attached', taken.both, 0.6),
  ];
}

async function opened(port: number): Promise<void> {
  const until = performance.now() + LIMIT_MS;
  while (performance.now() < until) {
    const socket = connect(port, '::1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    } finally {
      socket.destroy();
    }
  }
  throw new Error('the worker port did not open');
}

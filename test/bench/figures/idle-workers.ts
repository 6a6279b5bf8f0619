import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bbxOk } from '../../rigs/bbx.ts';
import { startFarm, type Farm } from '../../rigs/farm.ts';
import { untilAttached } from '../attached-follower.ts';
import { figure, spread, type Curve, type Figure } from '../figure.ts';
import { startChild } from '../light/child.ts';
import { memoryOf } from '../process-memory.ts';

const WORKERS = 1_000;
/** When V8 collects while they come decides by ten kilobytes for each, on either side. */
const RUNS = 3;
/** How long the master is away: long enough that every worker waits the longest time between two tries. */
const AWAY_MS = 10_000;
/** Until it is quiet again. */
const SETTLE_MS = 5_000;
const KB = 1_000;

interface Measured {
  /** Bytes of memory for each worker, and for each client of the bare server. */
  perWorker: number;
  perClient: number;
  /** Seconds from the start of the master's process until the last worker is attached again. */
  back: number;
}

/** A thousand workers that do nothing: the memory that each needs in the master, beside a client of a bare server; and how soon all are back. */
export async function idleWorkers(): Promise<Figure[]> {
  const found: Measured[] = [];
  for (let run = 0; run < RUNS; run += 1) found.push(await measure(WORKERS));
  const away = spread([AWAY_MS / 1_000]);
  return [
    figure(
      `memory in the master for each of ${WORKERS} idle workers`,
      'KB',
      spread(found.map(({ perWorker }) => perWorker / KB)),
      'a client of a bare server of TLS and `ws`',
      spread(found.map(({ perClient }) => perClient / KB)),
      { reach: { atMost: 1.3 } },
    ),
    figure(
      `${WORKERS} workers attached again after the master was away for ${AWAY_MS / 1_000} s`,
      's',
      spread(found.map(({ back }) => back)),
      'how long it was away',
      away,
      { reach: { atMost: 5 }, reachOf: 'value' },
    ),
  ];
}

/** The same over the number of workers. */
export async function overIdleWorkers(amounts: readonly number[]): Promise<Curve[]> {
  const found: [number, Measured][] = [];
  for (const amount of amounts) found.push([amount, await measure(amount)]);
  const curve = (name: string, y: Curve['y'], value: (measured: Measured) => number): Curve => ({
    curve: name,
    x: { name: 'workers', unit: 'workers' },
    y,
    points: found.map(([x, measured]) => ({ x, ...spread([value(measured)]) })),
  });
  const memory = { name: 'memory of each', unit: 'KB' };
  const clients = curve('', memory, (of) => of.perClient / KB);
  const yardstick = { name: 'a client of a bare server of TLS and `ws`', points: clients.points };
  return [
    { ...curve('memory over workers', memory, (of) => of.perWorker / KB), yardstick },
    curve('return over workers', { name: 'until all are back', unit: 's' }, (of) => of.back),
  ];
}

async function measure(count: number): Promise<Measured> {
  const perClient = await bareClients(count);
  await using farm = await startFarm({ config: `workers: { "light-*": {} }\nbuilders: {}\n` });
  const before = memoryOf(farm.master.child.pid!).now;
  const joined = await bbxOk(
    ['worker', 'add', '--names', 'light-*', '--uses', String(count), '--dir', farm.masterDir],
    { cwd: farm.dir },
  );
  await using _ = startChild('workers.ts', [join(farm.dir, 'light'), String(count)], joined.stdout);
  const { position } = await untilAttached(farm.masterDir, { count, after: 0 });
  await delay(SETTLE_MS);
  const perWorker = (memoryOf(farm.master.child.pid!).now - before) / count;
  return { perWorker, perClient, back: await restart(farm, { count, after: position }) };
}

async function restart(farm: Farm, since: { count: number; after: number }): Promise<number> {
  await farm.master.end('SIGKILL');
  await delay(AWAY_MS);
  const start = Date.now() / 1_000;
  await farm.startMaster();
  const { at } = await untilAttached(farm.masterDir, since);
  return at - start;
}

async function bareClients(count: number): Promise<number> {
  await using server = startChild('bare-server.ts', []);
  const port = (await server.line((line) => line.startsWith('port '))).slice('port '.length);
  const before = memoryOf(server.pid).now;
  await using _ = startChild('bare-clients.ts', [port, String(count)]);
  await server.line((line) => line === String(count));
  await delay(SETTLE_MS);
  return (memoryOf(server.pid).now - before) / count;
}

/**
 * `npm run bench`: figures, each beside a yardstick of the same run, and curves. A table on stderr, JSON on stdout; nothing passes or fails
 * here. `npm run bench -- NAME…` measures those alone, `--store postgres` with farms on PostgreSQL. It measures the built program, so it builds first.
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { buildProgram } from '../rigs/built.ts';
import startShared from '../rigs/postgres.ts';
import type { Curve, Figure } from './figure.ts';
import { curveLines, figureLine } from './table.ts';

using built = buildProgram();
// Read by test/rigs/bbx.ts when it is loaded, so the figures are imported after it is set.
const { bin } = built;
process.env['BBX_BIN'] = bin;

/** Each in a file of its own, in the order in which they are measured. */
const all: Record<string, () => Promise<(Figure | Curve)[]>> = {
  'start-up': async () => (await import('./figures/start-up.ts')).startUp(bin),
  'create-master': async () => (await import('./figures/create-master.ts')).createMaster(bin),
  'farm-start': async () => (await import('./figures/farm-start.ts')).farmStart(),
  store: async () => (await import('./figures/store.ts')).storeWork(),
  'forced-build': async () => (await import('./figures/forced-build.ts')).forcedBuild(),
  'queued-builds': async () => (await import('./figures/queued-builds.ts')).queuedBuilds(),
  'dispatch-latency': async () => (await import('./figures/dispatch-latency.ts')).dispatchLatency(),
  history: async () => (await import('./figures/history.ts')).history(),
  'big-log': async () => (await import('./figures/big-log.ts')).bigLog(),
  'over-log-size': async () => (await import('./figures/big-log.ts')).overLogSize([80, 400, 2_000]),
  'over-steps-at-once': async () =>
    (await import('./figures/big-log.ts')).overStepsAtOnce([1, 5, 10, 25, 50]),
  'idle-workers': async () => (await import('./figures/idle-workers.ts')).idleWorkers(),
  'over-idle-workers': async () =>
    (await import('./figures/idle-workers.ts')).overIdleWorkers([100, 500, 1_000, 2_000]),
};

const wanted = process.argv.slice(2);
const option = wanted.indexOf('--store');
const store = option < 0 ? 'sqlite' : wanted.splice(option, 2)[1];
process.env['BBX_TEST_STORE'] = store;
const stopServer = store === 'postgres' ? await startShared() : undefined;
for (const name of wanted)
  if (all[name] === undefined)
    throw new Error(`no figure "${name}"; there are: ${Object.keys(all).join(', ')}`);

const figures: Figure[] = [];
const curves: Curve[] = [];
for (const [name, measure] of Object.entries(all)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const found of await measure()) {
    if ('curve' in found) curves.push(found);
    else figures.push(found);
    process.stderr.write(`${'curve' in found ? curveLines(found) : figureLine(found)}\n`);
  }
}
const machine = { cpus: availableParallelism(), model: cpus()[0]?.model, load: loadavg() };
process.stdout.write(
  `${JSON.stringify({ node: process.version, machine, store, figures, curves }, null, 2)}\n`,
);
await stopServer?.();

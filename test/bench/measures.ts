import type { Curve, Figure } from './figure.ts';

/** Measures something. `full`: over the whole range, which takes long; else over what takes a minute at most. */
type Measure = (full: boolean, bin: string) => Promise<(Figure | Curve)[]>;

/** By name, in the order in which they are measured; each in a file of its own. */
export const measures: Record<string, Measure> = {
  'start-up': async (_, bin) => (await import('./figures/start-up.ts')).startUp(bin),
  'create-master': async (_, bin) => (await import('./figures/create-master.ts')).createMaster(bin),
  'farm-start': async () => (await import('./figures/farm-start.ts')).farmStart(),
  store: async () => (await import('./figures/store.ts')).storeWork(),
  'forced-build': async () => (await import('./figures/forced-build.ts')).forcedBuild(),
  'queued-builds': async () => (await import('./figures/queued-builds.ts')).queuedBuilds(),
  'big-log': async () => (await import('./figures/big-log.ts')).bigLog(),
  'idle-workers': async () => (await import('./figures/idle-workers.ts')).idleWorkers(),
  'over-slots': async (full) =>
    (await import('./figures/over-slots.ts')).overSlots(full ? [1, 2, 4, 8, 16] : [1, 4, 16]),
  'over-workers': async (full) =>
    (await import('./figures/over-workers.ts')).overWorkers(full ? [1, 3, 10, 30, 100] : [1, 10]),
  'dispatch-latency': async (full) =>
    (await import('./figures/dispatch-latency.ts')).dispatchLatency(
      full ? [1, 10, 100, 1_000, 10_000] : [1, 100, 1_000],
    ),
  history: async (full) =>
    (await import('./figures/history.ts')).history(
      full ? [100, 1_000, 10_000, 100_000] : [100, 1_000, 10_000],
    ),
  'over-log-size': async (full) =>
    (await import('./figures/big-log.ts')).overLogSize(full ? [20, 80, 400, 2_147] : [20, 80]),
  'over-steps-at-once': async (full) =>
    (await import('./figures/big-log.ts')).overStepsAtOnce(full ? [1, 5, 10, 25, 50] : [1, 5]),
  'over-idle-workers': async (full) =>
    (await import('./figures/idle-workers.ts')).overIdleWorkers(full ? [100, 500, 1_000, 2_000] : [100]),
  buildbot: async (full, bin) => (await import('./figures/beside-buildbot.ts')).besideBuildbot(full, bin),
};

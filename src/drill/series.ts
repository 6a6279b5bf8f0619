import { sentences } from '../base/error.ts';
import { closeFarm } from './checks/close.ts';
import type { Fault, Shape } from './fault.ts';
import { planRound, type RoundPlan } from './plan.ts';
import { sumUp, type DrillReport, type Failure, type RoundReport } from './report.ts';
import { runRound } from './round.ts';
import { openStage, type Stage } from './stage.ts';
import { startSandbox, type SandboxOptions } from './sandbox.ts';

export interface SeriesOptions {
  seed: number;
  /** Number of the first round; with one round, that round alone is repeated. */
  from: number;
  rounds: number;
  faults: readonly Fault[];
  skipped: DrillReport['skipped'];
  shape: Shape;
  /** Farms at the same time. */
  jobs: number;
  /** Directories stay, also of farms on which nothing went wrong. */
  keep: boolean;
  sandbox: Omit<SandboxOptions, 'signal'>;
  signal: AbortSignal;
  /** The command that repeats a round. */
  repeat(round: number): string;
  onRound?(round: RoundReport): void;
  onFarm?(dir: string): void;
}

/** A farm is as old as this many rounds at most, so that its checks at the end stay short and its small disks large enough. */
const ROUNDS_PER_FARM = 100;
/** A farm that goes wrong is left as it is, and a new one goes on; after so many there is nothing more to learn. */
const MOST_FAILURES = 5;

/** Plans of all rounds, without doing anything. */
export function planSeries({
  seed,
  from,
  rounds,
  faults,
  shape,
}: Pick<SeriesOptions, 'seed' | 'from' | 'rounds' | 'faults' | 'shape'>): RoundPlan[] {
  return Array.from({ length: rounds }, (_, index) => planRound(seed, from + index, faults, shape));
}

/** Runs all rounds on one or more farms and sums them up; when `signal` ends it, those that came to their end. Rejects when no farm can be made. */
export async function runSeries(options: SeriesOptions): Promise<DrillReport> {
  const { seed, signal, repeat } = options;
  const began = performance.now();
  const plans = planSeries(options);
  const done: RoundReport[] = [];
  const failures: Failure[] = [];
  let next = 0;

  const fail = (stage: Stage, round: Omit<Failure, 'dir' | 'repeat'>) => {
    stage.farm.keep();
    failures.push({ ...round, dir: stage.farm.dir, repeat: repeat(round.round) });
  };

  const runFarm = async (stop: AbortSignal): Promise<void> => {
    await using farm = await startSandbox({ ...options.sandbox, signal: stop });
    options.onFarm?.(farm.dir);
    if (options.keep) farm.keep();
    const stage = openStage(farm);
    for (let count = 0; count < ROUNDS_PER_FARM && next < plans.length; count += 1) {
      const plan = plans[next]!;
      next += 1;
      const report = await runRound(stage, plan, stop);
      done.push(report);
      options.onRound?.(report);
      if (report.wrong.length > 0) return fail(stage, report);
    }
    const wrong = await closeFarm(farm, stop).catch((error: unknown) => {
      stop.throwIfAborted();
      return [sentences(error).join(': ')];
    });
    const last = done.at(-1);
    if (wrong.length > 0)
      fail(stage, {
        round: last?.round ?? options.from,
        fault: 'end of the farm',
        words: 'stop it and look',
        wrong,
      });
  };

  // One that cannot make its farm ends the others as well.
  const broken = new AbortController();
  const stop = AbortSignal.any([signal, broken.signal]);
  await Promise.all(
    Array.from({ length: Math.min(options.jobs, plans.length) }, async () => {
      try {
        while (next < plans.length && failures.length < MOST_FAILURES) await runFarm(stop);
      } catch (error) {
        if (signal.aborted) return;
        broken.abort(error);
        throw error;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  const { store } = options.sandbox;
  const interrupted = signal.aborted;
  return sumUp({ seed, store, seconds, rounds: done, skipped: options.skipped, failures, interrupted });
}

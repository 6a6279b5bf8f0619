import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../base/abort.ts';
import { BUILDERS } from './builders.ts';
import { closeFarm } from './checks/close.ts';
import type { Chosen } from './choose.ts';
import type { Fault, Shape } from './fault.ts';
import { planRound } from './plan.ts';
import { processesOf, sizeOf } from './processes.ts';
import { pickWeighted, seeded } from './random.ts';
import type { RoundReport } from './report.ts';
import { runRound } from './round.ts';
import { openStage } from './stage.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';

/** Memory, open files and disk of the farm after so many builds. Bytes and seconds. */
export interface SoakSample {
  builds: number;
  seconds: number;
  masterBytes: number;
  masterHandles: number;
  /** Workers and their keepers together. */
  workerBytes: number;
  workerHandles: number;
  /** Store and logs, which grow with the history that is kept. */
  masterDisk: number;
  /** Spools and workspaces. */
  workerDisk: number;
}

/** The answer of `bbx drill --soak N --json`. */
export interface SoakReport {
  schema: 'bbx.soak/1';
  verdict: 'ok' | 'failed';
  seed: number;
  store: string;
  builds: number;
  seconds: number;
  /** Rounds with a fault, in between. */
  rounds: number;
  /** Faults that were asked for and cannot be made in a soak. */
  skipped: Chosen['skipped'];
  wrong: string[];
  samples: SoakSample[];
  /** The sandbox, when something went wrong. */
  dir: string | null;
}

export interface SoakOptions {
  seed: number;
  builds: number;
  /** A round with one of these comes in between, again and again; none: nothing is struck. */
  faults: readonly Fault[];
  skipped: Chosen['skipped'];
  shape: Shape;
  sandbox: Omit<SandboxOptions, 'signal'>;
  signal: AbortSignal;
  onSample?(sample: SoakSample): void;
  onRound?(round: RoundReport): void;
}

/** Requests that wait or run at any time: more than there are slots, so that none rests. */
const OUTSTANDING = 12;
const SAMPLES = 100;
/** Builds from one fault to the next. */
const FAULT_EVERY = 50;
/** So long nothing may end until the soak is given up, ms. */
const STUCK_MS = 60_000;
const LOOK_MS = 50;

/** Has so many builds run, with a fault now and then where some are given, and looks at what grows. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seed, builds, faults, signal } = options;
  const smallDisks = faults.some(({ needs }) => needs === 'disks') ? 'workers' : 'none';
  await using farm = await startSandbox({ ...options.sandbox, smallDisks, signal });
  const stage = openStage(farm);
  const random = seeded(seed);
  const choices = Object.entries(BUILDERS)
    .filter(([, { steps }]) => steps.every((step) => step.kind !== 'git' && (step.pause ?? 0) === 0))
    .map(([name, { weight }]) => ({ name, weight }));
  const chooseOne = () => pickWeighted(random, choices).name;
  const began = performance.now();
  const samples: SoakSample[] = [];
  let [asked, ended, read, rounds] = [0, 0, 0, 0];
  let wrongResults = 0;
  const wrong: string[] = [];
  const sample = async () => {
    const taken = await takeSample(farm, ended, (performance.now() - began) / 1_000);
    samples.push(taken);
    options.onSample?.(taken);
  };

  /** Until so many have ended, or nothing ends any more. */
  async function buildOn(limit: number): Promise<boolean> {
    let endedAt = performance.now();
    while (ended < limit) {
      for (; asked < limit && asked - ended < OUTSTANDING; asked += 1)
        await farm.client.call('startBuild', { body: { builder: chooseOne(), reason: 'soak' } }, { signal });
      await sleep(LOOK_MS, signal);
      for (const { event } of farm.watcher.heard.slice(read)) {
        read += 1;
        if (event.type !== 'request.finished') continue;
        ended += 1;
        endedAt = performance.now();
        if (event.results !== 0) wrongResults += 1;
      }
      if (performance.now() - endedAt > STUCK_MS) return false;
      if (ended >= ((samples.length + 1) * builds) / SAMPLES) await sample();
    }
    return true;
  }

  /** A round under as much load as there is otherwise; it looks at all builds since the last one. */
  async function strike(): Promise<boolean> {
    rounds += 1;
    const plan = planRound(seed, rounds, faults, options.shape);
    const load = Array.from({ length: OUTSTANDING }, () => ({ builder: chooseOne(), afterMs: 0 }));
    const round = await runRound(stage, { ...plan, asks: [...plan.asks, ...load] }, signal);
    read = farm.watcher.heard.length;
    options.onRound?.(round);
    wrong.push(...round.wrong.map((line) => `round ${rounds} (${round.words}): ${line}`));
    return round.wrong.length === 0;
  }

  const every = faults.length === 0 ? builds : FAULT_EVERY;
  while (ended < builds) {
    if (!(await buildOn(Math.min(builds, ended + every)))) break;
    if (faults.length > 0 && !(await strike())) break;
  }
  if (ended < builds && wrong.length === 0)
    wrong.push(`${ended} of ${builds} builds ended, and then none for ${STUCK_MS / 1_000} s`);
  wrong.push(...wrongIn(samples));
  if (wrongResults > 0) wrong.push(`${wrongResults} builds did not end as success`);
  const seconds = (performance.now() - began) / 1_000;
  wrong.push(...(await closeFarm(farm, signal)));
  if (wrong.length > 0) farm.keep();
  return {
    schema: 'bbx.soak/1',
    verdict: wrong.length === 0 ? 'ok' : 'failed',
    seed,
    store: options.sandbox.store,
    builds: ended,
    seconds: Math.round(seconds * 10) / 10,
    rounds,
    skipped: options.skipped,
    wrong,
    samples,
    dir: wrong.length === 0 ? null : farm.dir,
  };
}

/** What may be more in the last quarter than in the second: the first warms up. */
const ALLOWED: readonly { key: keyof SoakSample; what: string; share: number; more: number }[] = [
  { key: 'masterBytes', what: "the master's memory", share: 1.15, more: 16e6 },
  { key: 'workerBytes', what: "the workers' memory", share: 1.15, more: 16e6 },
  { key: 'masterHandles', what: "the master's open files", share: 1, more: 16 },
  { key: 'workerHandles', what: "the workers' open files", share: 1, more: 24 },
  { key: 'workerDisk', what: "the workers' disk", share: 1, more: 4e6 },
];

/** So many builds at least: before, caches fill (256 log files are kept open) and the heap finds its size. */
const LEAST_BUILDS = 1_000;

/** Whether a soak was long enough to say what grows. */
function isLongEnough(samples: readonly SoakSample[]): boolean {
  return samples.length >= 8 && (samples.at(-1)?.builds ?? 0) >= LEAST_BUILDS;
}

/** What a soak has shown where nothing of it was wrong. */
export function goodWords(samples: readonly SoakSample[]): string {
  return isLongEnough(samples)
    ? 'nothing grew'
    : `all builds ended well; what grows is told from ${LEAST_BUILDS.toLocaleString('en')} builds on`;
}

/** What grew; nothing of a soak that is too short to say. */
export function wrongIn(samples: readonly SoakSample[]): string[] {
  if (!isLongEnough(samples)) return [];
  const quarter = Math.floor(samples.length / 4);
  const middle = (from: number, key: keyof SoakSample) =>
    samples
      .slice(from, from + quarter)
      .map((sample) => sample[key])
      .sort((a, b) => a - b)[Math.floor(quarter / 2)] as number;
  return ALLOWED.flatMap(({ key, what, share, more }) => {
    const [before, after] = [middle(quarter, key), middle(samples.length - quarter, key)];
    return after > before * share + more ? [`${what} grew from ${before} to ${after}`] : [];
  });
}

async function takeSample(farm: Sandbox, builds: number, seconds: number): Promise<SoakSample> {
  const master = await sizeOf(farm.master.program.pid);
  let [workerBytes, workerHandles, workerDisk] = [0, 0, 0];
  for (const { dir } of farm.workers) {
    // Steps come and go; the worker and its keeper name their directory.
    for (const { pid, command } of processesOf(dir)) {
      if (!command.includes(dir)) continue;
      const size = await sizeOf(pid);
      workerBytes += size?.residentBytes ?? 0;
      workerHandles += size?.handles ?? 0;
    }
    for (const part of ['spool', 'builds']) workerDisk += await bytesIn(farm.seen(join(dir, part)));
  }
  let masterDisk = 0;
  for (const part of ['store', 'logs']) masterDisk += await bytesIn(farm.seen(join(farm.master.dir, part)));
  return {
    builds,
    seconds: Math.round(seconds * 10) / 10,
    masterBytes: master?.residentBytes ?? 0,
    masterHandles: master?.handles ?? 0,
    workerBytes,
    workerHandles,
    masterDisk,
    workerDisk,
  };
}

/** Disk space of a directory's files, bytes. */
async function bytesIn(dir: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []))
    if (entry.isFile())
      sum += await stat(join(entry.parentPath, entry.name)).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      );
  return sum;
}

import { access, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { BbxError, errnoOf, sentences } from '../base/error.ts';
import { controlSocket, masterLayout, workerLayout } from '../config/layout.ts';
import { loadMaster, type MasterConfig } from '../config/master.ts';
import type { Problem } from '../config/problem.ts';
import { loadWorker, type WorkerConfig } from '../config/worker.ts';
import { pinOf } from '../net/tls/pin.ts';
import { isHeld, isListenedOn } from './running.ts';

/** A directory of one role, as the plan needs it. */
export interface RoleFacts<Config> {
  readonly dir: string;
  /** As people would type it. */
  readonly shown: string;
  readonly config: Config | undefined;
  /** Mistakes of the configuration. */
  readonly problems: readonly Problem[];
  /** Why it could not be read at all. */
  readonly failure: string | undefined;
}

export interface MasterFacts extends RoleFacts<MasterConfig> {
  /** Pin of the farm's own key, where there is one. */
  readonly pin: string | undefined;
  readonly running: boolean;
}

export interface WorkerFacts extends RoleFacts<WorkerConfig> {
  /** Keys of the master that the worker accepts: those of its configuration, else those that it learned. */
  readonly pins: readonly string[];
  /** Undefined where this user cannot see it. */
  readonly running: boolean | undefined;
}

/** What the current directory holds. */
export interface DirectoryFacts {
  readonly master: MasterFacts | undefined;
  readonly worker: WorkerFacts | undefined;
  /** Where the call is about a worker alone: the master in the directory beside it (`../master`), which it may be looking for. */
  readonly beside: MasterFacts | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the directories that a call is about: the given one; or the current one and upwards; or `./master` and `./worker`, both of
 * them. Never throws for what stands in the files.
 */
export async function readDirectory(
  cwd: string,
  env: Environment,
  signal: AbortSignal,
  dir?: string,
): Promise<DirectoryFacts> {
  const start = dir === undefined ? cwd : resolve(cwd, dir);
  const up = dir === undefined ? await upwards(start) : undefined;
  const bases = up === undefined ? [start, join(start, 'master'), join(start, 'worker')] : [up];
  const masterDir = await first(bases, isMaster);
  const workerDir = await first(bases, isWorker);
  const besideDir =
    masterDir === undefined && workerDir !== undefined
      ? await first([join(dirname(workerDir), 'master')], isMaster)
      : undefined;
  const readIf = (given: string | undefined) =>
    given === undefined ? undefined : readMaster(given, cwd, env, signal);
  const [master, worker, beside] = await Promise.all([
    readIf(masterDir),
    workerDir === undefined ? undefined : readWorker(workerDir, cwd, env, signal),
    readIf(besideDir),
  ]);
  return { master, worker, beside };
}

/** The nearest directory from here up that is a master's or a worker's. */
async function upwards(from: string): Promise<string | undefined> {
  for (let dir = from; ; dir = dirname(dir)) {
    if ((await isMaster(dir)) || (await isWorker(dir))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

async function first(
  dirs: readonly string[],
  fits: (dir: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const dir of dirs) if (await fits(dir)) return dir;
  return undefined;
}

async function isMaster(dir: string): Promise<boolean> {
  const layout = masterLayout(dir);
  return (await exists(layout.configYaml)) || (await exists(layout.configTs)) || isClosed(dir, 'master');
}

async function isWorker(dir: string): Promise<boolean> {
  return (await exists(workerLayout(dir).config)) || isClosed(dir, 'worker');
}

/** `master` or `worker`, which this user may not look into: taken for what its name says, so that it is told and not passed over. */
function isClosed(dir: string, role: 'master' | 'worker'): Promise<boolean> {
  if (basename(dir) !== role) return Promise.resolve(false);
  return access(join(dir, 'x')).then(
    () => false,
    (error: unknown) => errnoOf(error) === 'EACCES',
  );
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readMaster(
  dir: string,
  cwd: string,
  env: Environment,
  signal: AbortSignal,
): Promise<MasterFacts> {
  const [loaded, running, certificate] = await Promise.all([
    attempt(async () => (await loadMaster(dir, { env, signal })).config),
    masterRuns(dir, env),
    readFile(masterLayout(dir).certificate, 'utf8').catch(() => undefined),
  ]);
  return {
    dir,
    shown: shown(dir, cwd),
    ...loaded,
    running,
    pin: certificate === undefined ? undefined : pinIn(certificate),
  };
}

function pinIn(certificate: string): string | undefined {
  try {
    return pinOf(certificate);
  } catch {
    // A broken certificate is the master's own trouble; here it only leaves the pin unknown.
    return undefined;
  }
}

async function readWorker(
  dir: string,
  cwd: string,
  env: Environment,
  signal: AbortSignal,
): Promise<WorkerFacts> {
  const [loaded, running] = await Promise.all([
    attempt(async () => (await loadWorker(dir, { env, signal })).config),
    isHeld(workerLayout(dir).lock),
  ]);
  const written = loaded.config?.pins ?? [];
  const pins = written.length > 0 ? written : await learnedPins(workerLayout(dir).learned);
  return { dir, shown: shown(dir, cwd), ...loaded, running, pins };
}

/** Pins of the first contact; none where the file is missing or not what a worker writes. */
async function learnedPins(file: string): Promise<string[]> {
  try {
    const { pins } = JSON.parse(await readFile(file, 'utf8')) as { pins?: unknown };
    return Array.isArray(pins) ? pins.filter((pin) => typeof pin === 'string') : [];
  } catch {
    return [];
  }
}

async function attempt<Config>(
  load: () => Promise<Config>,
): Promise<Pick<RoleFacts<Config>, 'config' | 'problems' | 'failure'>> {
  try {
    return { config: await load(), problems: [], failure: undefined };
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    const { problems } = error.data as { problems?: readonly Problem[] };
    if (problems !== undefined) return { config: undefined, problems, failure: undefined };
    return { config: undefined, problems: [], failure: sentences(error).join(': ') };
  }
}

/** The lock holds by whatever path the directory was named; where it cannot be seen, the control socket may be. */
async function masterRuns(dir: string, env: Environment): Promise<boolean> {
  const socket = controlSocket(dir, env);
  const seen = (await isHeld(masterLayout(dir).lock)) === true || (await isListenedOn(socket));
  return seen ?? exists(socket);
}

function shown(dir: string, cwd: string): string {
  const near = relative(cwd, dir);
  if (near === '') return '.';
  return near.startsWith('..') ? dir : near;
}

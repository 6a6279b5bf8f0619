import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../base/clock.ts';
import { sentences } from '../../../base/error.ts';
import type { Log } from '../../../base/log.ts';
import { MARKER_VARIABLE } from '../../../exec/marker.ts';
import { meetKeeper, type KeeperClient } from './client.ts';
import { KEEPER_VERSION } from './messages.ts';
import { openKeeperLog, type KeeperLog } from './keeper-log.ts';
import { keeperPlaces, openSocketPath } from './socket.ts';

/** Starting Node takes a twentieth of a second; a machine that needs longer than this is in no state to run builds. */
const START_MS = 10_000;

/**
 * Each command is a fork, which copies the tables of all memory that is the process's own: without helping threads of V8, and with code that is made small instead
 * of fast, that is 18 MB instead of 30.
 */
const SMALL = ['--single-threaded', '--optimize-for-size'];

/** Where the keeper of a worker directory is found, or started. */
export interface KeeperHouse {
  /** The keeper that a former worker process left, with what it holds. */
  readonly found: KeeperClient | undefined;
  /** Builds of a keeper of another version, which was ended with them: the names of their directories in the spool. */
  readonly ended: readonly string[];
  /** The keeper; started when there is none. Undefined when it cannot be: then the worker runs its commands itself. */
  get(): Promise<KeeperClient | undefined>;
  /** Ends the keeper. */
  quit(): Promise<void>;
  /** Hangs up. */
  leave(): void;
}

/** Looks for the keeper of a directory whose lock this process holds. One of another version is ended, with a word about it. */
export async function openKeeperHouse(options: {
  dir: string;
  software: string;
  clock: Clock;
  log: Log;
  /** Everything that a keeper says goes here, from the first notice on. `lastWords` is what it said of its faults; empty: nothing. */
  onMet: (keeper: KeeperClient, lastWords: () => string) => void;
  /** Why none can be started; undefined: that is over. */
  onTrouble?: (words: string | undefined) => void;
}): Promise<KeeperHouse> {
  const { dir, software, clock, log, onMet } = options;
  const said = openKeeperLog(keeperPlaces(dir).log);
  let current = await meet();
  let starting: Promise<KeeperClient | undefined> | undefined;
  let ended: readonly string[] = [];
  if (current !== undefined && current.hello.version !== KEEPER_VERSION) {
    ended = keysOf(current.hello);
    log.warn(
      `The keeper that runs here (${current.hello.software}) is of another version: it is ended, with ${ended.length} builds, which run again`,
    );
    await current.quit();
    current = undefined;
  }
  if (current !== undefined) onMet(current, said.fresh);
  const found = current;

  async function meet(): Promise<KeeperClient | undefined> {
    try {
      return await meetKeeper(await dial(dir), clock.wall());
    } catch {
      return undefined;
    }
  }
  async function start(): Promise<KeeperClient | undefined> {
    try {
      await startKeeper(dir, software, said);
      const keeper = await meetKeeper(await dial(dir), clock.wall());
      onMet(keeper, said.fresh);
      current = keeper;
      options.onTrouble?.(undefined);
      return keeper;
    } catch (error) {
      const why = sentences(error).join(': ');
      const words = `Commands of builds will not outlive the worker’s process: its keeper does not start: ${why}`;
      log.warn(words);
      options.onTrouble?.(words);
      return undefined;
    } finally {
      starting = undefined;
    }
  }
  return {
    found,
    ended,
    async get() {
      if (current !== undefined && !current.lost) return current;
      return (starting ??= start());
    },
    leave: () => current?.leave(),
    async quit() {
      const keeper = current ?? (await starting);
      if (keeper !== undefined && !keeper.lost) await keeper.quit();
    },
  };
}

/** What a keeper of any version holds, as far as this one can read it. */
function keysOf({ builds }: { builds?: unknown }): string[] {
  const states = Array.isArray(builds) ? (builds as { build?: { key?: unknown } }[]) : [];
  return states.flatMap((state) => (typeof state?.build?.key === 'string' ? [state.build.key] : []));
}

async function dial(dir: string): Promise<Socket> {
  using name = openSocketPath(dir);
  if (name === undefined) throw new Error('the path of its socket is too long');
  const socket = connect(name.path);
  await once(socket, 'connect');
  return socket;
}

/** Starts a keeper in a session of its own and waits until it listens. Rejects with what it says. */
async function startKeeper(dir: string, software: string, log: KeeperLog): Promise<void> {
  const said = log.begin();
  // Nothing of the worker's environment is passed on but what finds its processes and what is meant for Node itself: commands bring theirs.
  const passedOn = ['PATH', MARKER_VARIABLE, 'NODE_OPTIONS'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const child = spawn(process.execPath, [...programWords(), dir, software], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', said],
    env: Object.fromEntries(passedOn) as NodeJS.ProcessEnv,
  });
  closeSync(said);
  child.unref();
  const stdout = child.stdout as Readable;
  const limit = setTimeout(() => child.kill('SIGKILL'), START_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      stdout.once('data', () => resolve());
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(
          new Error(
            `it ended with ${signal ?? code}: ${log.fresh() || 'it said nothing'} (in "${log.path}")`,
          ),
        ),
      );
    });
  } finally {
    clearTimeout(limit);
    stdout.destroy();
  }
}

/** The keeper's own entry: beside the chunks of the published program, or the source beside this one. */
function programWords(): string[] {
  const places = ['./main.ts', '../keeper.js', './keeper.js'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  const file = places.find((place) => existsSync(place));
  if (file === undefined) throw new Error('its program is not installed');
  return ['--no-warnings', ...SMALL, file];
}

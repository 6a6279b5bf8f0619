import { spawn, type ChildProcess } from 'node:child_process';
import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { within } from '../base/abort.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { endProcesses, ownUids } from './end-processes.ts';
import type { Identity } from './identity.ts';
import { watchLimits } from './limits-watch.ts';
import { MARKER_VARIABLE, markerValue } from './marker.ts';
import { spawnWithGroups } from './with-groups.ts';
import { makeOutputPipes, type OutputPipes, type PipeSource } from './output-pipes.ts';
import { readOutput } from './output-reader.ts';

export interface TreeOptions {
  /** Program and its words; the program is looked for in `env.PATH`. */
  command: readonly string[];
  cwd: string;
  /** The whole environment; the marker comes on top. */
  env: Readonly<Record<string, string>>;
  /** Path of names that finds the tree's processes again, see `marker.ts`. */
  marker: string;
  /** The marker of the farm that this one runs in; this process's own unless given. */
  inheritedMarker?: string | undefined;
  /** A directory for the names of pipes, where the command's user may write; without one the command gets sockets for its output. */
  scratch?: string | undefined;
  /** Where pipes come from; made for this command alone unless given. */
  pipes?: PipeSource | undefined;
  /** Whom to run as; null: as this process. */
  identity: Identity | null;
  /** Limit of silence, ms. */
  timeoutMs: number | null;
  /** Limit in all, ms. */
  maxTimeMs: number | null;
  sigtermTimeMs: number;
  signal: AbortSignal;
  /** Bytes in order; a pending promise stops the reading of both pipes. A rejection ends the tree, and `runTree` rejects with it. */
  onOutput: (channel: 'stdout' | 'stderr', bytes: Buffer) => void | Promise<void>;
  clock?: Clock;
}

export interface TreeEnd {
  ended: 'exit' | 'signal' | 'timeout' | 'maxTime' | 'cancelled' | 'notStarted';
  /** Null unless `ended` is `exit`. */
  rc: number | null;
  /** What ended the command itself, also after a limit; `SIGKILL`. */
  signal: string | null;
  /** Why it did not start. */
  error?: Error;
  /** Processes that held the output after the command's end and were ended for it. */
  leftovers: number;
  /** Processes that outlived KILL, mostly another user's. */
  alive: readonly number[];
}

/** How long a leftover may hold the output after the command's end. With what follows a step is over 5 s after its command. */
const LEFTOVER_GRACE_MS = 2_000;
/** From its TERM to its KILL: the step is over for people, so less than a command gets. */
const LEFTOVER_TERM_MS = 1_000;
/** After everything that can be ended was ended: for bytes that are still in the pipes. */
const DRAIN_MS = 1_000;

/**
 * Runs a command in a session of its own and waits for its end and all its output. On abort or limit the whole tree is ended, also what
 * left the group or session. Resolves for every end; rejects only with what `onOutput` rejected with.
 */
export async function runTree(options: TreeOptions): Promise<TreeEnd> {
  const { signal, sigtermTimeMs, marker, identity } = options;
  if (signal.aborted) return { ended: 'cancelled', rc: null, signal: null, leftovers: 0, alive: [] };
  const pipes =
    options.scratch === undefined
      ? undefined
      : await (options.pipes?.take ?? makeOutputPipes)(options.scratch, identity);
  let child: ChildProcess;
  try {
    child = start(options, pipes);
  } catch (error) {
    pipes?.given();
    pipes?.over();
    return notStarted(error);
  }
  pipes?.given();
  const exit = Promise.withResolvers<{ rc: number | null; signal: string | null; error?: Error }>();
  child.once('exit', (rc, by) => exit.resolve({ rc, signal: by }));
  child.once('error', (error) => exit.resolve({ rc: null, signal: null, error }));
  const stdout = pipes?.stdout ?? (child.stdout as Readable);
  const stderr = pipes?.stderr ?? (child.stderr as Readable);
  const closed = Promise.allSettled([finished(stdout), finished(stderr)]);
  const pid = child.pid;
  if (pid === undefined) {
    stdout.destroy();
    stderr.destroy();
    pipes?.over();
    return notStarted((await exit.promise).error);
  }

  const uids = ownUids(identity?.uid);
  const end = (termMs: number) => endProcesses({ marker, session: pid, uids, sigtermTimeMs: termMs });
  let why: 'timeout' | 'maxTime' | 'cancelled' | undefined;
  let fault: { error: unknown } | undefined;
  const immortal = Promise.withResolvers<{ rc: null; signal: null }>();
  let ending: Promise<{ found: number; alive: number[] }> | undefined;
  const endWith = (reason: typeof why, termMs: number) => {
    if (ending !== undefined) return;
    why = reason;
    ending = end(termMs);
    // What outlives KILL hangs in the kernel or became another user's: its exit is not waited for.
    void ending.then(({ alive }) => alive.length > 0 && immortal.resolve({ rc: null, signal: null }));
  };

  const limits = watchLimits({
    timeoutMs: options.timeoutMs,
    maxTimeMs: options.maxTimeMs,
    clock: options.clock ?? systemClock,
    onLimit: (limit) => endWith(limit, sigtermTimeMs),
  });
  const onAbort = () => endWith('cancelled', sigtermTimeMs);
  // It may have come while the pipes were made.
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const output = readOutput(
    [
      { name: 'stdout' as const, stream: stdout },
      { name: 'stderr' as const, stream: stderr },
    ],
    {
      onBytes(channel, bytes) {
        limits.sawOutput();
        return options.onOutput(channel, bytes);
      },
      onHold: limits.hold,
      onResume: limits.resume,
      onError(error) {
        fault ??= { error };
        endWith('cancelled', 0);
      },
    },
  );

  const ended = await Promise.race([exit.promise, immortal.promise]);
  limits.stop();
  signal.removeEventListener('abort', onAbort);
  const endedByUs = ending === undefined ? undefined : await ending;
  const left = await waitForOutput();
  stdout.destroy();
  stderr.destroy();
  pipes?.over();
  await output.settled();
  if (fault !== undefined) throw fault.error;
  const alive = [...(endedByUs?.alive ?? []), ...left.alive];
  if (why !== undefined) return { ended: why, rc: null, signal: ended.signal, leftovers: left.found, alive };
  const how = ended.signal === null ? 'exit' : 'signal';
  return { ended: how, rc: ended.rc, signal: ended.signal, leftovers: left.found, alive };

  /** Until both pipes are at their end; who holds them longer than it may is ended. Time in which we do not read does not count. */
  async function waitForOutput(): Promise<{ found: number; alive: readonly number[] }> {
    if (await closesWithin(LEFTOVER_GRACE_MS)) return { found: 0, alive: [] };
    const left = await end(LEFTOVER_TERM_MS);
    await closesWithin(DRAIN_MS);
    return left;
  }

  async function closesWithin(ms: number): Promise<boolean> {
    const done = closed.then(() => true);
    for (;;) {
      const first = (await within(done, ms)) ?? false;
      if (first || !output.holding) return first;
      await Promise.race([done, output.settled()]);
    }
  }
}

function start(options: TreeOptions, pipes: OutputPipes | undefined): ChildProcess {
  const { identity, cwd } = options;
  const [program, ...args] = options.command;
  const env = {
    ...options.env,
    [MARKER_VARIABLE]: markerValue(options.marker, options.inheritedMarker ?? process.env[MARKER_VARIABLE]),
  };
  const stdio =
    pipes === undefined
      ? ['ignore' as const, 'pipe' as const, 'pipe' as const]
      : ['ignore' as const, ...pipes.ends];
  if (identity !== null && identity.groups.length > 1) {
    return spawnWithGroups(options.command, { cwd, env, identity, stdio });
  }
  return spawn(program ?? '', args, {
    cwd,
    env,
    stdio,
    detached: true,
    ...(identity === null ? {} : { uid: identity.uid, gid: identity.gid }),
  });
}

function notStarted(error: unknown): TreeEnd {
  const reason = error instanceof Error ? error : new Error(String(error));
  return { ended: 'notStarted', rc: null, signal: null, error: reason, leftovers: 0, alive: [] };
}

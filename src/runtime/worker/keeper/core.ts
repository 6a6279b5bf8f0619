import { LONGEST_TIMER_MS, type Clock } from '../../../base/clock.ts';
import { sentences } from '../../../base/error.ts';
import { Secret } from '../../../base/secret.ts';
import { sleep } from '../../../base/abort.ts';
import { createMask, type Mask } from '../../../build/mask.ts';
import { createStepOutput } from '../../../build/step-output.ts';
import { endLeftovers } from '../../../exec/end-processes.ts';
import { createPipeSource } from '../../../exec/output-pipes.ts';
import { runTree } from '../../../exec/run-tree.ts';
import { machineElapsed } from '../elapsed.ts';
import { createSpoolBudget } from '../spool-budget.ts';
import { retried } from '../spool-file.ts';
import { createSpoolLog, type SpoolLog } from '../spool-log.ts';
import type { SpoolDeps } from '../spool-segment.ts';
import { orphanLeftMs } from './deadline.ts';
import { writeLastEnd } from './last-end.ts';
import { writeBehind } from './write-behind.ts';
import type {
  CallName,
  Calls,
  HeldBuild,
  KeptState,
  LogState,
  Notice,
  RunEnd,
  RunOrder,
} from './messages.ts';

/**
 * Notices of growth wait so long for company: each makes the worker open a file and read. At 80 MB/s that is 800 KB; who follows a log does not see
 * the difference to the 4 ms of before, in which a read was 300 KB.
 */
const GREW_MS = 10;
/** Until a worker that does not read is looked at again. */
const BEHIND_MS = 100;
/** How often the worker hears how full the spool is, at most. */
const SPOOL_SAID_MS = 100;
/** Until a write is tried again on a full disk. */
const FULL_DISK_RETRY_MS = 1_000;
/** So many commands get their pipes from one run of `mkfifo`. */
const PIPES_AT_ONCE = 16;

/** The keeper itself, wherever it lives: runs commands, masks and writes their output, and remembers how they ended. */
export interface KeeperCore {
  handle<Name extends Exclude<CallName, 'attach'>>(
    name: Name,
    ask: Calls[Name]['ask'],
  ): Promise<Calls[Name]['answer']>;
  /** A worker is there: it is told what is held, and from now on what happens; less often while `isBehind` says that it does not read. */
  attach(tell: (notice: Notice) => void, software: string, isBehind?: () => boolean): void;
  detach(): void;
  readonly builds: number;
  readonly running: number;
  /** Called when `builds` or `running` went down. */
  onLess: (() => void) | undefined;
  /** Ends all commands and closes all files. */
  stop(): Promise<void>;
}

interface Log {
  log: SpoolLog;
  turns: number;
  /** The last file that the worker knows. */
  toldFile: number;
}
interface Run {
  stop: AbortController;
  /** Number of the step's log. */
  log: number;
  end: Promise<RunEnd>;
  /** The end, once it is there. */
  known: RunEnd | undefined;
  over: boolean;
}
interface Build {
  held: HeldBuild;
  mask: Mask;
  logs: Map<number, Log>;
  runs: Map<number, Run>;
  gone: AbortController;
  orphaned: boolean;
}

/** Makes a keeper that holds nothing yet. */
export function createKeeperCore(options: { version: number; clock: Clock }): KeeperCore {
  const { clock } = options;
  const budget = createSpoolBudget(Infinity);
  const builds = new Map<string, Build>();
  const grown = new Set<Log>();
  const keyOf = new Map<Log, string>();
  const pipes = createPipeSource(PIPES_AT_ONCE);
  const stopped = new AbortController();
  /** Ends on their way to the disk. */
  const leaving = new Set<Promise<void>>();
  let tell: ((notice: Notice) => void) | undefined;
  let isBehind: () => boolean = () => false;
  /** Since when no worker is there, after one that was. */
  let aloneSince: number | undefined;
  let contactAt = clock.monotonic();
  let other = 0;
  let fullDisk: string | undefined;
  let onLess: (() => void) | undefined;
  let growing: NodeJS.Timeout | undefined;
  let saying: NodeJS.Timeout | undefined;
  let deadline: NodeJS.Timeout | undefined;

  const deps: SpoolDeps = {
    clock,
    budget,
    disk: {
      async wait(error) {
        fullDisk = error.message;
        saySpool();
        await sleep(FULL_DISK_RETRY_MS, stopped.signal);
      },
      over() {
        fullDisk = undefined;
        saySpool();
      },
    },
  };
  budget.onPressure(() => {
    for (const build of builds.values())
      for (const { log } of build.logs.values()) log.free(0).catch(() => undefined);
    saySpool();
  });
  budget.onRelief(saySpool);

  function saySpool(): void {
    if (tell === undefined) return;
    saying ??= setTimeout(() => {
      saying = undefined;
      if (isBehind()) return saySpool();
      tell?.({ type: 'spool', own: budget.used - other, waiting: budget.waiting, fullDisk });
    }, SPOOL_SAID_MS);
  }
  function sayGrown(): void {
    clearTimeout(growing);
    growing = undefined;
    if (tell === undefined || grown.size === 0) return grown.clear();
    // A worker that is stopped, or hangs, gets the whole at once when it reads again.
    if (isBehind()) return void (growing = setTimeout(sayGrown, BEHIND_MS));
    tell({ type: 'grew', logs: [...grown].map((log) => stateOf(log, false)) });
    grown.clear();
    saySpool();
  }
  function stateOf(log: Log, whole: boolean): LogState {
    const { id, step, name, size, base, files } = log.log;
    const news = whole ? files : files.filter((file) => file > log.toldFile);
    log.toldFile = Math.max(log.toldFile, ...news);
    return { key: keyOf.get(log) ?? '', id, step, name, size, base, files: news, turns: log.turns };
  }

  function buildOf(key: string): Build {
    const build = builds.get(key);
    if (build === undefined) throw new Error(`the keeper has no build "${key}"`);
    return build;
  }
  function logOf(build: Build, step: number, { id, name }: { id: number; name: string }): Log {
    let log = build.logs.get(id);
    if (log === undefined) {
      const made: Log = {
        log: createSpoolLog(
          {
            dir: build.held.dir,
            id,
            step,
            name,
            gone: build.gone.signal,
            changed() {
              grown.add(made);
              growing ??= setTimeout(sayGrown, GREW_MS);
            },
          },
          deps,
        ),
        turns: 0,
        toldFile: -1,
      };
      log = made;
      build.logs.set(id, log);
      keyOf.set(log, build.held.key);
    }
    return log;
  }

  function run(order: RunOrder): Promise<RunEnd> {
    const build = buildOf(order.key);
    const known = build.runs.get(order.step);
    if (known !== undefined) return known.end;
    const { log } = logOf(build, order.step, order.log);
    const stop = new AbortController();
    if (build.orphaned || build.gone.signal.aborted) stop.abort();
    const made: Run = { stop, log: order.log.id, over: false, known: undefined, end: walk() };
    build.runs.set(order.step, made);
    // Whoever asks for it handles it; a worker may never come back to ask.
    made.end.catch(() => undefined);
    return made.end;

    async function walk(): Promise<RunEnd> {
      const behind = writeBehind(log);
      const output = createStepOutput(behind, build.mask);
      try {
        const end = await runTree({
          ...order,
          pipes,
          signal: stop.signal,
          clock,
          onOutput: output.onOutput,
        });
        await output.settle();
        await behind.settle();
        const { ended, rc, signal, leftovers, alive } = end;
        const error = end.error === undefined ? undefined : sentences(end.error).join(': ');
        made.known = { ended, rc, signal, leftovers, alive, error };
        if (tell === undefined) leaveEnd(build);
        return made.known;
      } finally {
        made.over = true;
        sayGrown();
        onLess?.();
      }
    }
  }

  /** Leaves the end of a build's last command on the disk: no worker is there to be told, and this process can die, too. */
  function leaveEnd({ held, logs, runs }: Build): void {
    const [step, last] = [...runs].at(-1) ?? [];
    if (step === undefined || last?.known === undefined) return;
    const turns = logs.get(last.log)?.turns ?? 0;
    const word = { step, turns, end: last.known, boot: machineElapsed().host };
    const written = retried(deps.disk, () => writeLastEnd(held.dir, word)).catch(() => undefined);
    leaving.add(written);
    void written.then(() => leaving.delete(written));
  }

  /** A line in the logs of the commands that went on meanwhile. */
  function tellAbsence(ms: number): void {
    const words = `bbx: the worker's process was gone for ${(ms / 1000).toFixed(1)} s; the command went on\n`;
    for (const build of builds.values()) {
      if (build.orphaned) continue;
      for (const run of build.runs.values())
        if (!run.over)
          build.logs
            .get(run.log)
            ?.log.say(words)
            .catch(() => undefined);
    }
  }

  async function endBuild(build: Build): Promise<void> {
    for (const { stop } of build.runs.values()) stop.abort();
    await Promise.allSettled([...build.runs.values()].map(({ end }) => end));
    await endLeftovers(build.held.marker, { uids: build.held.uids });
  }

  /** Ends in time what the master will give to another worker: nobody else can while no worker is there. */
  function watchDeadline(): void {
    clearTimeout(deadline);
    let next = Infinity;
    for (const build of builds.values()) {
      if (build.orphaned) continue;
      const silentMs = clock.monotonic() - contactAt;
      const left = orphanLeftMs(build.held.orphanAfter, silentMs, tell !== undefined);
      if (left > 0) {
        next = Math.min(next, left);
        continue;
      }
      build.orphaned = true;
      // Before its commands end: the worker must not take that for their own doing.
      tell?.({ type: 'orphaned', key: build.held.key });
      endBuild(build).then(
        () => onLess?.(),
        () => undefined,
      );
    }
    if (next === Infinity) return;
    // A process that was held up reads what the worker has told meanwhile before it decides.
    deadline = setTimeout(() => setImmediate(watchDeadline), Math.min(next, LONGEST_TIMER_MS));
  }

  const calls: {
    [Name in Exclude<CallName, 'attach'>]: (ask: Calls[Name]['ask']) => Promise<Calls[Name]['answer']>;
  } = {
    async hold({ build }) {
      if (!builds.has(build.key)) {
        const secrets = Object.entries(build.secrets).map(
          ([name, value]) => [name, new Secret(value)] as const,
        );
        builds.set(build.key, {
          held: build,
          mask: createMask(new Map(secrets)),
          logs: new Map(),
          runs: new Map(),
          gone: new AbortController(),
          orphaned: false,
        });
        // The master has just given it, however long ago it was heard before.
        contactAt = clock.monotonic();
        watchDeadline();
      }
      return null;
    },
    run,
    async cancel({ key, step }) {
      builds.get(key)?.runs.get(step)?.stop.abort();
      return null;
    },
    async write({ key, step, log: place, turn, channel, bytes, force }) {
      const log = logOf(buildOf(key), step, place);
      if (turn <= log.turns) return null;
      log.turns = turn;
      await (force ? log.log.say(Buffer.from(bytes).toString()) : log.log.write(channel, bytes));
      return null;
    },
    async finish({ key, step, log: place }) {
      const { log } = logOf(buildOf(key), step, place);
      const end = await log.finish();
      await log.close();
      sayGrown();
      return end;
    },
    async free({ key, log: id, offset }) {
      await builds.get(key)?.logs.get(id)?.log.free(offset);
      saySpool();
      return null;
    },
    async giveUp({ key, why }) {
      builds.get(key)?.gone.abort(new Error(why));
      return null;
    },
    async release({ key }) {
      const build = builds.get(key);
      if (build === undefined) return null;
      build.gone.abort(new Error('the build is forgotten'));
      for (const { stop } of build.runs.values()) stop.abort();
      await Promise.allSettled([...build.runs.values()].map(({ end }) => end));
      builds.delete(key);
      for (const log of build.logs.values()) {
        await log.log.close();
        budget.give(log.log.fileBytes);
        grown.delete(log);
        keyOf.delete(log);
      }
      saySpool();
      onLess?.();
      return null;
    },
    async contact({ ageMs }) {
      contactAt = clock.monotonic() - ageMs;
      watchDeadline();
      return null;
    },
    async room({ limit, other: bytes }) {
      budget.limit = limit;
      if (bytes > other) budget.force(bytes - other);
      else budget.give(other - bytes);
      other = bytes;
      return null;
    },
    async quit() {
      await stop();
      return null;
    },
  };

  async function stop(): Promise<void> {
    const reason = new Error('the keeper is stopping');
    for (const build of builds.values()) build.gone.abort(reason);
    await Promise.all([...builds.values()].map(endBuild));
    stopped.abort(reason);
    budget.giveUp(reason);
    pipes[Symbol.dispose]();
    clearTimeout(deadline);
    clearTimeout(growing);
    clearTimeout(saying);
    await Promise.all(leaving);
    for (const build of builds.values()) for (const { log } of build.logs.values()) await log.close();
    builds.clear();
  }

  return {
    handle: (name, ask) => calls[name](ask as never) as Promise<never>,
    attach(given, software, behind = () => false) {
      tell = given;
      isBehind = behind;
      grown.clear();
      const states: KeptState[] = [...builds.values()].map(({ held, logs, runs, orphaned }) => ({
        build: held,
        logs: [...logs.values()].map((log) => stateOf(log, true)),
        runs: [...runs.keys()],
        orphaned,
      }));
      const contactAgeMs = clock.monotonic() - contactAt;
      given({
        type: 'hello',
        version: options.version,
        software,
        pid: process.pid,
        contactAgeMs,
        builds: states,
      });
      if (aloneSince !== undefined) tellAbsence(clock.monotonic() - aloneSince);
      aloneSince = undefined;
      saySpool();
      watchDeadline();
    },
    detach() {
      tell = undefined;
      aloneSince = clock.monotonic();
      // The worker may have gone before it wrote down what it was told.
      for (const build of builds.values()) leaveEnd(build);
      watchDeadline();
    },
    get builds() {
      return builds.size;
    },
    get running() {
      return [...builds.values()].reduce(
        (sum, { runs }) => sum + [...runs.values()].filter(({ over }) => !over).length,
        0,
      );
    },
    get onLess() {
      return onLess;
    },
    set onLess(listener) {
      onLess = listener;
    },
    stop,
  };
}

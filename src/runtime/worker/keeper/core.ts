import { LONGEST_TIMER_MS } from '../../../base/clock.ts';
import type { SteadyClock } from '../../../base/steady-clock.ts';
import { createPipeSource } from '../../../exec/output-pipes.ts';
import { createFullDisk } from '../full-disk.ts';
import { createSpoolBudget } from '../spool-budget.ts';
import type { SpoolDeps } from '../spool-segment.ts';
import { createKeeperBuild, type KeeperBuild, type KeeperBuildDeps } from './build.ts';
import { orphanLeftMs } from './deadline.ts';
import { createTeller } from './teller.ts';
import { HELLO_MS, type CallName, type Calls, type Notice } from './messages.ts';

/** So many commands get their pipes from one run of `mkfifo`. */
const PIPES_AT_ONCE = 16;

/** One for all: a stack of its own would cost each build, and tell nobody anything. */
const FORGOTTEN = new Error('the build is forgotten');

/** The keeper itself, wherever it lives: runs commands, masks and writes their output, and remembers how they ended. */
export interface KeeperCore {
  handle<Name extends Exclude<CallName, 'attach'>>(
    name: Name,
    ask: Calls[Name]['ask'],
  ): Promise<Calls[Name]['answer']>;
  /**
   * A worker is there: it is told what is held, and from now on what happens; less often while `isBehind` says that it does not read. `wall`: what its clock
   * shows, which is followed where nothing is held.
   */
  attach(
    tell: (notice: Notice) => void,
    software: string,
    of?: { wall?: number | undefined; isBehind?: () => boolean },
  ): void;
  detach(): void;
  readonly builds: number;
  readonly running: number;
  /** Called when `builds` or `running` went down. */
  onLess: (() => void) | undefined;
  /** Ends all commands and closes all files. */
  stop(): Promise<void>;
}

/** Makes a keeper that holds nothing yet. */
export function createKeeperCore(options: { version: number; clock: SteadyClock }): KeeperCore {
  const { clock } = options;
  const budget = createSpoolBudget(Infinity);
  const builds = new Map<string, KeeperBuild>();
  const pipes = createPipeSource(PIPES_AT_ONCE);
  const stopped = new AbortController();
  /** Since when no worker is there, after one that was. */
  let aloneSince: number | undefined;
  let contactAt = clock.monotonic();
  let other = 0;
  let fullDisk: string | undefined;
  let onLess: (() => void) | undefined;
  let deadline: NodeJS.Timeout | undefined;
  const teller = createTeller(() => ({
    type: 'spool',
    own: budget.used - other,
    waiting: budget.waiting,
    fullDisk,
  }));

  const spool: SpoolDeps = {
    clock,
    budget,
    disk: createFullDisk(stopped.signal, (error) => {
      fullDisk = error?.message;
      teller.spool();
    }),
  };
  budget.onPressure(() => {
    for (const build of builds.values())
      for (const { log } of build.logs.values()) log.free(0).catch(() => undefined);
    teller.spool();
  });
  budget.onRelief(() => teller.spool());
  const deps: KeeperBuildDeps = {
    spool,
    pipes,
    startTurn: createStartTurns(),
    isAlone: () => teller.alone,
    onGrown: (log) => teller.grew(log),
    onOver: () => onLess?.(),
  };

  function buildOf(key: string): KeeperBuild {
    const build = builds.get(key);
    if (build === undefined) throw new Error(`the keeper has no build "${key}"`);
    return build;
  }

  /** A line in the logs of the commands that went on meanwhile. */
  function tellAbsence(ms: number): void {
    const words = `bbx: the worker's process was gone for ${(ms / 1000).toFixed(1)} s; the command went on\n`;
    for (const build of builds.values()) if (!build.orphaned) build.say(words);
  }

  /** Ends in time what the master will give to another worker: nobody else can while no worker is there. */
  function watchDeadline(): void {
    clearTimeout(deadline);
    let next = Infinity;
    for (const build of builds.values()) {
      if (build.orphaned) continue;
      const silentMs = clock.monotonic() - contactAt;
      const left = orphanLeftMs(build.held.orphanAfter, silentMs, !teller.alone);
      if (left > 0) {
        next = Math.min(next, left);
        continue;
      }
      build.orphan();
      // Before its commands end: the worker must not take that for their own doing.
      teller.now({ type: 'orphaned', key: build.held.key });
      build.end().then(
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
        builds.set(build.key, createKeeperBuild(build, deps));
        // The master has just given it, however long ago it was heard before.
        contactAt = clock.monotonic();
        watchDeadline();
      }
      return null;
    },
    async run(order) {
      const end = await buildOf(order.key).run(order);
      // The worker knows the last bytes of a log before it hears that there are no more.
      if (end.log !== undefined) teller.grewNow();
      return end;
    },
    async cancel({ key, step }) {
      builds.get(key)?.cancel(step);
      return null;
    },
    async write({ key, step, log: place, turn, channel, bytes, force }) {
      const log = buildOf(key).log(step, place);
      if (turn <= log.turns) return null;
      log.turns = turn;
      await (force ? log.log.say(Buffer.from(bytes).toString()) : log.log.write(channel, bytes));
      return null;
    },
    async finish({ key, step, log: place }) {
      const { log } = buildOf(key).log(step, place);
      const end = await log.finish();
      await log.close();
      teller.grewNow();
      return end;
    },
    async free({ key, log: id, offset }) {
      await builds.get(key)?.logs.get(id)?.log.free(offset);
      teller.spool();
      return null;
    },
    async giveUp({ key, why }) {
      builds.get(key)?.giveUp(new Error(why));
      return null;
    },
    async release({ key }) {
      const build = builds.get(key);
      if (build === undefined) return null;
      build.giveUp(FORGOTTEN);
      await build.stop();
      builds.delete(key);
      await build.close();
      for (const log of build.logs.values()) teller.forget(log);
      teller.spool();
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
    for (const build of builds.values()) build.giveUp(reason);
    await Promise.all([...builds.values()].map((build) => Promise.all([build.end(), build.stop()])));
    stopped.abort(reason);
    budget.giveUp(reason);
    pipes[Symbol.dispose]();
    clearTimeout(deadline);
    teller.stop();
    await Promise.all([...builds.values()].map(({ left }) => left));
    for (const build of builds.values()) await build.close();
    builds.clear();
  }

  return {
    handle: (name, ask) => calls[name](ask as never) as Promise<never>,
    attach(given, software, { wall, isBehind = () => false } = {}) {
      teller.attach(given, isBehind);
      if (builds.size === 0 && wall !== undefined) clock.follow(wall, HELLO_MS / 1_000);
      const contactAgeMs = clock.monotonic() - contactAt;
      given({
        type: 'hello',
        version: options.version,
        software,
        pid: process.pid,
        wall: clock.wall(),
        contactAgeMs,
        builds: [...builds.values()].map((build) => build.state()),
      });
      if (aloneSince !== undefined) tellAbsence(clock.monotonic() - aloneSince);
      aloneSince = undefined;
      teller.spool();
      watchDeadline();
    },
    detach() {
      teller.detach();
      aloneSince = clock.monotonic();
      // The worker may have gone before it wrote down what it was told.
      for (const build of builds.values()) build.leaveEnd();
      watchDeadline();
    },
    get builds() {
      return builds.size;
    },
    get running() {
      return [...builds.values()].reduce((sum, build) => sum + build.running, 0);
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

/**
 * A turn of the event loop for each start: a start holds this process until the command's program runs, and ends of other commands are told in between. Without it
 * builds that once begin together stay together, and programs wait for one another.
 */
function createStartTurns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => (last = last.then(() => new Promise((resolve) => setImmediate(resolve))));
}

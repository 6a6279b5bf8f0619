import { sleep } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { sentences } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import { Secret } from '../../base/secret.ts';
import type { CommandPort } from '../../build/command-port.ts';
import type { Journal } from '../../build/journal.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import { secretsOf } from '../../build/plan-secrets.ts';
import { resultNumber } from '../../build/results.ts';
import type { Result } from '../../build/results.ts';
import { runPlan } from '../../build/run.ts';
import { leaseKey } from '../../protocol/bbx/lease.ts';
import type { Lease } from '../../protocol/bbx/lease.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from '../../protocol/bbx/messages.ts';
import { orphanLeftMs } from './keeper/deadline.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import { machineElapsed } from './elapsed.ts';
import { whyNoFurther } from './jobs-further.ts';
import { endInterrupted } from './jobs-interrupted.ts';
import { knownEndPort } from './known-end-port.ts';
import type { SpoolBuild } from './spool-build.ts';
import type { Spool } from './spool.ts';

/**
 * A directory that cannot be had refuses the build: nothing ran, so it may run elsewhere at once. One that takes longer (a large workspace
 * is handed to another user) is taken on trust, since other messages wait meanwhile.
 */
const OPEN_PLACE_MS = 2_000;

/** A keeper takes a build within a millisecond; one that is only starting is not waited for before the master hears of it. */
const HOLD_MS = 50;

/** Where one build's commands run, until it is disposed. */
export interface BuildPlace {
  port: CommandPort;
  /** The port for a build whose commands the keeper runs. */
  keptPort?: (kept: KeptBuild) => CommandPort;
  /** Absolute path of the build's directory. */
  workdir: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface JobsOptions {
  spool: Spool;
  maxBuilds: number;
  /** Takes a builder's directory and makes a port in it. */
  openPlace(builddir: string): Promise<BuildPlace>;
  /** Leaves a build with the keeper; undefined: its commands run here and end with this process. */
  hold?: (build: SpoolBuild, secrets: Readonly<Record<string, string>>) => Promise<KeptBuild | undefined>;
  /** How long the master has not been heard as far as a former process knew, ms; for the builds that it left. */
  silentMs?: number | undefined;
  /** Whether a build that a former process left was ended with the keeper, when this one started. */
  wasEnded?: (build: SpoolBuild) => boolean;
  clock: Clock;
  log: Log;
}

/** One build attempt at this worker: it runs, or it has ended and waits until the master has stored it. */
export interface Job {
  readonly build: SpoolBuild;
  readonly running: boolean;
  /** The master cannot get the rest of this build: why. */
  readonly unfit: string | undefined;
}

export type Assignment = Omit<MessageOf<MasterMessage, 'assign'>, 'type'>;
type InventoryBuild = MessageOf<WorkerMessage, 'inventory'>['builds'][number];

export interface Jobs {
  readonly running: number;
  readonly all: readonly Job[];
  draining: boolean;
  /** Since when the master has been out of reach (monotonic ms); undefined: it is there. */
  readonly lostSince: number | undefined;
  /** Told of each build that is given up, before anything else happens: nothing more of it may be sent. */
  onDropped: ((lease: Lease) => void) | undefined;
  find(lease: Lease): Job | undefined;
  /** Takes a build: its plan is on the disk when this says yes. The same lease twice is the same build. */
  assign(
    assignment: Assignment,
    epoch: string,
  ): Promise<{ accepted: true; job: Job } | { accepted: false; why: string }>;
  /** Ends a build in good order: later steps run only with alwaysRun. */
  cancel(lease: Lease, why: string): void;
  /** Ends a build at once and forgets everything of it. */
  drop(lease: Lease, why: string): Promise<void>;
  /** Forgets a build whose end the master has stored. */
  delivered(lease: Lease): Promise<void>;
  /** What the master says of a build of the inventory; gives why the rest of it cannot be delivered, or undefined when it can. */
  lost(
    job: Job,
    stored: { sequence: number; logs: readonly { step: number; log: string; bytes: number }[] },
  ): string | undefined;
  inventory(): InventoryBuild[];
  /** Builds of another life of the store are ended and set aside. Gives where they are now. */
  adoptEpoch(epoch: string): Promise<string[]>;
  /** The master has been out of reach since (monotonic ms); undefined: it is there. Starts and stops the deadlines of orphans. */
  linkLost(since: number | undefined): void;
  /** The keeper has ended: what it ran is lost, and told as `retry`. */
  keeperLost(): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  /** Ends everything at once; what was running is told to the master as `retry`. */
  stop(why: string): Promise<void>;
}

interface Own extends Job {
  running: boolean;
  unfit: string | undefined;
  /** Log sizes and events as a former process left them: a master that has more saw what this disk has lost. */
  recovered: { sequence: number; sizes: Map<number, number> } | undefined;
  cancel: AbortController;
  stop: AbortController;
  /** How the build ends instead of what the plan's walk found. */
  verdict: { result: Result; state: string } | undefined;
  done: Promise<void>;
  deadline: NodeJS.Timeout | undefined;
}

/**
 * Takes over what is in the spool. Builds that a killed process left running go on where the keeper has them; others are ended truthfully,
 * in the background, since a full disk may hold that up.
 */
export function createJobs(options: JobsOptions): Jobs {
  const { spool, clock, log } = options;
  const jobs = new Map<string, Own>();
  /** The last build in each builder's directory: the next one there waits for it. */
  const places = new Map<string, Promise<void>>();
  const idlers: (() => void)[] = [];
  /** What is forgotten already and has not ended yet: the process must not go before its commands do. */
  const leaving = new Set<Promise<unknown>>();
  /** Assignments that are not answered yet. */
  const taking = new Set<Promise<void>>();
  let lostSince = options.silentMs === undefined ? undefined : options.clock.monotonic() - options.silentMs;
  let draining = false;
  let onDropped: ((lease: Lease) => void) | undefined;

  const running = () => [...jobs.values()].filter((job) => job.running);
  const makeJob = (build: SpoolBuild): Own => ({
    build,
    running: false,
    unfit: undefined,
    recovered: undefined,
    cancel: new AbortController(),
    stop: new AbortController(),
    verdict: undefined,
    done: Promise.resolve(),
    deadline: undefined,
  });

  async function run(
    job: Own,
    opened: Promise<BuildPlace> | undefined,
    secrets: ReadonlyMap<string, Secret>,
    holding?: Promise<void>,
  ): Promise<void> {
    const { build, cancel, stop } = job;
    const { plan } = build.lease;
    const journal = withVerdict(build.journal, () => job.verdict);
    const past = [...build.events];
    // Where another build of this builder still ends, its directory is waited for.
    const before = places.get(plan.builddir);
    try {
      if (opened === undefined) await before;
      await using place = await (opened ?? options.openPlace(plan.builddir));
      await holding;
      const { kept } = build;
      const port = kept === undefined ? place.port : (place.keptPort?.(kept) ?? place.port);
      const result = await runPlan(plan, {
        port: build.lastEnd === undefined ? port : knownEndPort(port, build.lastEnd),
        past,
        journal,
        secrets,
        workdir: place.workdir,
        clock,
        signal: AbortSignal.any([cancel.signal, stop.signal]),
        stop: stop.signal,
      });
      log.info(`build ${plan.builder}/${plan.number} ended: ${job.verdict?.result ?? result}`);
    } catch (error) {
      await endBroken(job, error);
    } finally {
      clearTimeout(job.deadline);
      job.running = false;
      if (running().length === 0) for (const resolve of idlers.splice(0)) resolve();
    }
  }

  /** The walk itself failed: no place to work in, or a spool that cannot be written. */
  async function endBroken(job: Own, error: unknown): Promise<void> {
    const { build } = job;
    const why = sentences(error).join(': ');
    // Nobody wants to know of a build that is dropped; one that has its end only failed in cleaning up.
    if (build.finished || job.stop.signal.aborted)
      return void log.debug(`build ${build.lease.build}: ${why}`);
    log.error(`build ${build.lease.build} ended as exception: ${why}`);
    try {
      await endInterrupted(build, clock, `the worker could not go on: ${why}`);
    } catch (second) {
      job.unfit = `its spool cannot be written: ${sentences(second).join(': ')}`.slice(0, 1_000);
    }
  }

  function watchDeadline(job: Own): void {
    clearTimeout(job.deadline);
    const { orphanAfter, build } = job.build.lease;
    if (!job.running || lostSince === undefined || orphanAfter === null) return;
    const leftMs = orphanLeftMs(orphanAfter, clock.monotonic() - lostSince);
    // setTimeout holds 2^31 ms; a deadline beyond that is looked at again then.
    const LONGEST_MS = 2 ** 31 - 1;
    job.deadline = setTimeout(
      () => {
        if (leftMs > LONGEST_MS) return watchDeadline(job);
        log.warn(`build ${build} ends: the master is out of reach and will give it to another worker`);
        endOrphan(job, orphanAfter);
      },
      Math.max(0, Math.min(leftMs, LONGEST_MS)),
    );
  }

  function endOrphan(job: Own, orphanAfter: number | null): void {
    const state = `ended by the worker: no contact with the master for ${Math.round(orphanAfter ?? 0)} s`;
    job.verdict = { result: 'retry', state };
    job.stop.abort(new Error(state));
  }

  /** What the keeper ends by its own count ends as an orphan, not as if somebody had cancelled it. */
  function heedKeeper(job: Own): void {
    const { kept, lease } = job.build;
    if (kept === undefined) return;
    const end = () => {
      log.warn(`build ${lease.build} was ended by the keeper: the master was out of reach for too long`);
      endOrphan(job, lease.orphanAfter);
    };
    kept.onOrphaned = end;
    if (kept.orphaned) end();
  }

  function begin(
    job: Own,
    opened: Promise<BuildPlace> | undefined,
    secrets: ReadonlyMap<string, Secret>,
    holding?: Promise<void>,
  ): void {
    const { builddir } = job.build.lease.plan;
    job.running = true;
    job.done = run(job, opened, secrets, holding);
    const settled = job.done.catch(() => undefined);
    places.set(builddir, settled);
    void settled.then(() => {
      if (places.get(builddir) === settled) places.delete(builddir);
    });
    watchDeadline(job);
  }

  /** A build that a former process had begun and not ended. */
  function takeUp(job: Own): void {
    const { build } = job;
    const former = build.kept?.former;
    if (former !== undefined) {
      log.warn(`build ${build.lease.build} goes on: it ran while the worker's process was gone`);
      heedKeeper(job);
      return begin(job, undefined, former.secrets);
    }
    if (build.sequence === 0 || build.lastEnd !== undefined) return goOnAlone(job);
    const result = options.wasEnded?.(build) === true ? 'retry' : 'exception';
    log.warn(`build ${build.lease.build} was running when the worker's process ended; it ends as ${result}`);
    const why =
      result === 'retry' ? 'the keeper of its commands was of another version and was ended' : undefined;
    job.done = endInterrupted(build, clock, why, result).catch((error: unknown) => endBroken(job, error));
  }

  /** No keeper has the build, and yet all is known: nothing of it ran, or the keeper left word how the last command ended. */
  function goOnAlone(job: Own): void {
    const { build } = job;
    const { plan } = build.lease;
    const why = whyNoFurther(plan, build.lastEnd, machineElapsed().host);
    log.warn(
      `build ${build.lease.build} was running when the worker's process ended; ${why === undefined ? 'it goes on' : `it ends as retry: ${why}`}`,
    );
    if (why !== undefined) {
      job.verdict = { result: 'retry', state: why };
      job.stop.abort(new Error(why));
    }
    // For the words of a step that is over; nothing is started with them.
    const blanks = new Map([...secretsOf(plan)].map((name) => [name, new Secret('')]));
    begin(job, undefined, blanks, why === undefined ? hold(job, {}) : undefined);
  }

  /** Leaves a build with the keeper. */
  async function hold(job: Own, secrets: Readonly<Record<string, string>>): Promise<void> {
    const kept = await options.hold?.(job.build, secrets);
    if (kept === undefined) return;
    job.build.keepBy(kept);
    heedKeeper(job);
  }

  async function forget(job: Own): Promise<void> {
    jobs.delete(leaseKey(job.build.lease));
    const gone = job.done.then(() => spool.remove(job.build));
    const settled = gone.catch(() => undefined);
    leaving.add(settled);
    void settled.then(() => leaving.delete(settled));
    await gone;
  }

  async function drop(job: Own, why: string): Promise<void> {
    log.info(`build ${job.build.lease.build} is dropped: ${why}`);
    onDropped?.(job.build.lease);
    job.stop.abort(new Error(why));
    job.build.giveUp(new Error(why));
    await forget(job);
  }

  async function take(
    { build: number, token, plan, secrets, orphanAfter }: Assignment,
    epoch: string,
  ): Promise<{ accepted: true; job: Job } | { accepted: false; why: string }> {
    const known = jobs.get(leaseKey({ build: number, token }));
    if (known !== undefined) return { accepted: true, job: known };
    for (const other of [...jobs.values()].filter((job) => job.build.lease.build === number)) {
      // A newer try at the same build: whoever holds the older one has lost it.
      if (attemptOf(other.build.lease.token) > attemptOf(token))
        return { accepted: false, why: 'a newer try is here' };
      void drop(other, 'a newer try was assigned').catch((error: unknown) => log.error(String(error)));
    }
    if (draining) return { accepted: false, why: 'the worker is draining' };
    if (running().length >= options.maxBuilds) {
      return { accepted: false, why: `all ${options.maxBuilds} places are taken` };
    }
    // Where another build of this builder still ends, the directory can be had; it is waited for.
    const opened = places.has(plan.builddir) ? undefined : options.openPlace(plan.builddir);
    const limit = new AbortController();
    const long = sleep(OPEN_PLACE_MS, limit.signal).catch(() => undefined);
    const problem = await Promise.race([problemOf(opened), long]);
    limit.abort();
    if (problem !== undefined)
      return { accepted: false, why: `it has no place to work in: ${problem}`.slice(0, 1_000) };
    const leave = () => opened?.then((place) => place[Symbol.asyncDispose]()).catch(() => undefined);
    let build: SpoolBuild;
    try {
      build = await spool.create({ build: number, token, epoch, orphanAfter, plan });
    } catch (error) {
      await leave();
      throw error;
    }
    // Whoever waits for the last build to end may not have seen this one.
    if (draining) {
      await spool.remove(build);
      await leave();
      return { accepted: false, why: 'the worker is draining' };
    }
    const job = makeJob(build);
    jobs.set(leaseKey(build.lease), job);
    log.info(`build ${plan.builder}/${plan.number} starts`);
    const holding = options.hold === undefined ? undefined : hold(job, secrets);
    const values = new Map(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]));
    begin(job, opened, values, holding);
    await Promise.race([holding, sleep(HOLD_MS)]);
    return { accepted: true, job };
  }

  for (const build of spool.builds) {
    const job = makeJob(build);
    const sizes = new Map(build.logs.map(({ id, size }) => [id, size]));
    job.unfit = build.lost;
    job.recovered = { sequence: build.sequence, sizes };
    jobs.set(leaseKey(build.lease), job);
  }
  // Of two builds of one builder the one that has begun has the directory.
  for (const job of [...jobs.values()].toSorted(
    (a, b) => Math.sign(b.build.sequence) - Math.sign(a.build.sequence),
  ))
    if (!job.build.finished) takeUp(job);

  return {
    get onDropped() {
      return onDropped;
    },
    set onDropped(listener) {
      onDropped = listener;
    },
    get draining() {
      return draining;
    },
    set draining(value) {
      draining = value;
    },
    get lostSince() {
      return lostSince;
    },
    get running() {
      return running().length;
    },
    get all() {
      return [...jobs.values()];
    },
    find: (lease) => jobs.get(leaseKey(lease)),

    assign(assignment, epoch) {
      const answer = take(assignment, epoch);
      const settled = answer.then(
        () => undefined,
        () => undefined,
      );
      taking.add(settled);
      void settled.then(() => taking.delete(settled));
      return answer;
    },

    cancel(lease, why) {
      const job = jobs.get(leaseKey(lease));
      if (job === undefined || !job.running) return;
      log.info(`build ${lease.build} is cancelled${why === '' ? '' : `: ${why}`}`);
      job.cancel.abort(new Error(why));
    },
    async drop(lease, why) {
      const job = jobs.get(leaseKey(lease));
      if (job !== undefined) await drop(job, why);
    },
    async delivered(lease) {
      const job = jobs.get(leaseKey(lease));
      if (job !== undefined) await forget(job);
    },
    lost(job, stored) {
      const own = jobs.get(leaseKey(job.build.lease));
      const before = own?.recovered;
      if (own === undefined || before === undefined) return job.unfit;
      // Only the first answer after a start is compared: later ones count what this process wrote.
      own.recovered = undefined;
      const behind = stored.logs.some(({ step, log: name, bytes }) => {
        const mine = job.build.logs.find((one) => one.step === step && one.name === name);
        return bytes > (mine === undefined ? 0 : (before.sizes.get(mine.id) ?? 0));
      });
      if (behind || stored.sequence > before.sequence)
        return 'this machine has lost the end of what it had sent';
      return job.unfit;
    },
    inventory: () =>
      [...jobs.values()].map(({ build: { lease }, running: runs }) => ({
        build: lease.build,
        token: lease.token,
        epoch: lease.epoch,
        state: runs ? 'running' : 'finished',
      })),
    async adoptEpoch(epoch) {
      const aside: string[] = [];
      for (const job of [...jobs.values()].filter(({ build }) => build.lease.epoch !== epoch)) {
        const restored = new Error('the store of the master was restored');
        job.stop.abort(restored);
        job.build.giveUp(restored);
        jobs.delete(leaseKey(job.build.lease));
        await job.done;
        const place = await spool.setAside(job.build);
        log.warn(
          `build ${job.build.lease.build} belongs to another life of the master's store; kept in ${place}`,
        );
        aside.push(place);
      }
      return aside;
    },
    linkLost(since) {
      // Silence that began before this process did goes on.
      lostSince = since === undefined ? undefined : Math.min(since, lostSince ?? since);
      for (const job of jobs.values()) watchDeadline(job);
    },
    keeperLost() {
      for (const job of running()) {
        if (job.build.kept === undefined) continue;
        const state = 'the keeper of its commands ended: how they ended is not known';
        job.verdict ??= { result: 'retry', state };
        job.stop.abort(new Error(state));
      }
    },
    idle() {
      if (running().length === 0) return Promise.resolve();
      return new Promise((resolve) => idlers.push(resolve));
    },
    async stop(why) {
      draining = true;
      await Promise.all(taking);
      for (const job of running()) {
        job.verdict ??= { result: 'retry', state: why };
        job.stop.abort(new Error(why));
      }
      await Promise.all([...[...jobs.values()].map(({ done }) => done), ...leaving]);
    },
  };
}

/** Why a place could not be opened; undefined when it is. */
async function problemOf(opened: Promise<BuildPlace> | undefined): Promise<string | undefined> {
  try {
    await opened;
    return undefined;
  } catch (error) {
    return sentences(error).join(': ');
  }
}

/** The number of the try, the token's first part. */
function attemptOf(token: string): number {
  return Number(token.split('-')[0]);
}

/** The journal, but the build's last event says what the worker knows better than the plan's walk. */
function withVerdict(
  journal: Journal,
  verdict: () => { result: Result; state: string } | undefined,
): Journal {
  return {
    log: (step, name) => journal.log(step, name),
    event(event: ProgressEvent) {
      const known = event.type === 'buildFinished' ? verdict() : undefined;
      if (known === undefined || event.type !== 'buildFinished') return journal.event(event);
      return journal.event({ ...event, results: resultNumber(known.result), state: known.state });
    },
  };
}

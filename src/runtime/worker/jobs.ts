import { within } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { Secret } from '../../base/secret.ts';
import { secretsOf } from '../../build/plan-secrets.ts';
import { leaseKey } from '../../protocol/bbx/lease.ts';
import type { Lease } from '../../protocol/bbx/lease.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from '../../protocol/bbx/messages.ts';
import { buildTitle } from '../../build/title.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import { machineElapsed } from './elapsed.ts';
import { createJob, type Job, type OwnJob, type Stored } from './job.ts';
import { whyNoFurther } from './jobs-further.ts';
import { createTurns } from './jobs-turns.ts';
import type { BuildPlace } from './places.ts';
import type { SpoolBuild } from './spool-build.ts';
import type { Spool } from './spool.ts';

/** A keeper takes a build within a millisecond; one that is only starting is not waited for before the master hears of it. */
const HOLD_MS = 50;

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

export type Assignment = Omit<MessageOf<MasterMessage, 'assign'>, 'type'>;
/** What becomes of an assignment. */
export type Answer = { accepted: true; job: Job } | { accepted: false; why: string };
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
  /** Takes a build: its plan is in a file when this says yes. The same lease twice is the same build. */
  assign(assignment: Assignment, epoch: string): Promise<Answer>;
  /** Ends a build in good order: later steps run only with alwaysRun. */
  cancel(lease: Lease, why: string): void;
  /** Ends a build at once and forgets everything of it. */
  drop(lease: Lease, why: string): Promise<void>;
  /** Forgets a build whose end the master has stored. */
  delivered(lease: Lease): Promise<void>;
  /** What the master says of a build of the inventory; gives why the rest of it cannot be delivered, or undefined when it can. */
  lost(job: Job, stored: Stored): string | undefined;
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

/**
 * Takes over what is in the spool. Builds that a killed process left running go on where the keeper has them; others are ended truthfully,
 * in the background, since a full disk may hold that up.
 */
export function createJobs(options: JobsOptions): Jobs {
  const { spool, clock, log } = options;
  const jobs = new Map<string, OwnJob>();
  const turns = createTurns((builddir) => options.openPlace(builddir));
  const idlers: (() => void)[] = [];
  /** What is forgotten already and has not ended yet: the process must not go before its commands do. */
  const leaving = new Set<Promise<unknown>>();
  /** Assignments that are not answered yet. */
  const taking = new Set<Promise<unknown>>();
  let lostSince = options.silentMs === undefined ? undefined : options.clock.monotonic() - options.silentMs;

  const running = () => [...jobs.values()].filter((job) => job.running);
  const makeJob = (build: SpoolBuild, former: boolean): OwnJob => {
    const onEnd = () => {
      if (running().length === 0) for (const resolve of idlers.splice(0)) resolve();
    };
    const job = createJob(build, { clock, log, onEnd }, former);
    jobs.set(leaseKey(build.lease), job);
    return job;
  };

  function begin(
    job: OwnJob,
    secrets: ReadonlyMap<string, Secret>,
    { place, holding }: { place?: Promise<BuildPlace> | undefined; holding?: Promise<void> | undefined } = {},
  ): void {
    const { builddir } = job.build.lease.plan;
    job.begin({ place: place ?? turns.wait(builddir), secrets, holding });
    turns.take(builddir, job.done);
    job.masterLost(lostSince);
  }

  /** A build that a former process had begun and not ended. */
  function takeUp(job: OwnJob): void {
    const { build } = job;
    const former = build.kept?.former;
    if (former !== undefined) {
      log.warn(`build ${buildTitle(build.lease.plan)} goes on: it ran while the worker's process was gone`);
      return begin(job, former.secrets);
    }
    const hasStep = build.events.some(({ type }) => type === 'stepStarted');
    if (!hasStep || build.lastEnd !== undefined) return goOnAlone(job);
    const as = options.wasEnded?.(build) === true ? 'retry' : 'exception';
    log.warn(
      `build ${buildTitle(build.lease.plan)} was running when the worker's process ended; it ends as ${as}`,
    );
    job.interrupt(
      as,
      as === 'retry' ? 'the keeper of its commands was of another version and was ended' : undefined,
    );
  }

  /**
   * No keeper has the build, and yet all is known: nothing of it ran, or the keeper left word how the last command ended. For how long the master has
   * been without word of it nobody knows: another worker may have it by now, so it waits for the master's.
   */
  function goOnAlone(job: OwnJob): void {
    const { build } = job;
    const { plan, boot } = build.lease;
    const why = whyNoFurther(plan, build.lastEnd, { now: machineElapsed().host, assignedIn: boot });
    log.warn(
      `build ${buildTitle(plan)} was running when the worker's process ended; ${why === undefined ? 'it goes on when the master wants it' : `it ends as retry: ${why}`}`,
    );
    if (why !== undefined) job.retry(why);
    // For the words of a step that is over; nothing is started with them.
    const blanks = new Map([...secretsOf(plan)].map((name) => [name, new Secret('')]));
    const holding = job.wanted.then((isWanted) => (isWanted ? hold(job, {}) : undefined));
    begin(job, blanks, why === undefined ? { holding } : {});
  }

  /** Leaves a build with the keeper. */
  async function hold(job: OwnJob, secrets: Readonly<Record<string, string>>): Promise<void> {
    const kept = await options.hold?.(job.build, secrets);
    if (kept !== undefined) job.keepBy(kept);
  }

  async function forget(job: OwnJob): Promise<void> {
    jobs.delete(leaseKey(job.build.lease));
    const gone = job.done.then(() => spool.remove(job.build));
    keepUntilSettled(leaving, gone);
    await gone;
  }

  async function drop(job: OwnJob, why: string): Promise<void> {
    log.info(`build ${buildTitle(job.build.lease.plan)} is dropped: ${why}`);
    all.onDropped?.(job.build.lease);
    job.giveUp(new Error(why));
    await forget(job);
  }

  async function take(
    { build: number, token, plan, secrets, orphanAfter }: Assignment,
    epoch: string,
  ): Promise<Answer> {
    const known = jobs.get(leaseKey({ build: number, token }));
    if (known !== undefined) return { accepted: true, job: known };
    for (const other of [...jobs.values()].filter((job) => job.build.lease.build === number)) {
      // A newer try at the same build: whoever holds the older one has lost it.
      if (attemptOf(other.build.lease.token) > attemptOf(token))
        return { accepted: false, why: 'a newer try is here' };
      void drop(other, 'a newer try was assigned').catch((error: unknown) => log.error(String(error)));
    }
    if (all.draining) return { accepted: false, why: 'the worker is draining' };
    if (running().length >= options.maxBuilds) {
      return { accepted: false, why: `all ${options.maxBuilds} places are taken` };
    }
    const { place, problem } = await turns.ask(plan.builddir);
    if (problem !== undefined)
      return { accepted: false, why: `it has no place to work in: ${problem}`.slice(0, 1_000) };
    const leave = () => place?.then((opened) => opened[Symbol.asyncDispose]()).catch(() => undefined);
    let build: SpoolBuild;
    try {
      build = await spool.create({
        build: number,
        token,
        epoch,
        orphanAfter,
        plan,
        boot: machineElapsed().host,
      });
    } catch (error) {
      await leave();
      throw error;
    }
    // Whoever waits for the last build to end may not have seen this one.
    if (all.draining) {
      await spool.remove(build);
      await leave();
      return { accepted: false, why: 'the worker is draining' };
    }
    const job = makeJob(build, false);
    log.info(`build ${buildTitle(plan)} starts`);
    const holding = options.hold === undefined ? undefined : hold(job, secrets);
    const values = new Map(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]));
    begin(job, values, { place, holding });
    if (holding !== undefined) await within(holding, HOLD_MS);
    return { accepted: true, job };
  }

  for (const build of spool.builds) makeJob(build, true);
  // Of two builds of one builder the one that has begun has the directory.
  for (const job of [...jobs.values()].toSorted(
    (a, b) => Math.sign(b.build.sequence) - Math.sign(a.build.sequence),
  ))
    if (!job.build.finished) takeUp(job);

  const all: Jobs = {
    onDropped: undefined,
    draining: false,
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
      keepUntilSettled(taking, answer);
      return answer;
    },

    cancel(lease, why) {
      const job = jobs.get(leaseKey(lease));
      if (job === undefined || !job.running) return;
      log.info(`build ${buildTitle(job.build.lease.plan)} is cancelled${why === '' ? '' : `: ${why}`}`);
      job.cancel(why);
    },
    async drop(lease, why) {
      const job = jobs.get(leaseKey(lease));
      if (job !== undefined) await drop(job, why);
    },
    async delivered(lease) {
      const job = jobs.get(leaseKey(lease));
      if (job !== undefined) await forget(job);
    },
    lost: (job, stored) => jobs.get(leaseKey(job.build.lease))?.compare(stored) ?? job.unfit,
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
        job.giveUp(new Error('the store of the master was restored'));
        jobs.delete(leaseKey(job.build.lease));
        await job.done;
        const place = await spool.setAside(job.build);
        log.warn(
          `build ${buildTitle(job.build.lease.plan)} belongs to another life of the master's store; kept in ${place}`,
        );
        aside.push(place);
      }
      return aside;
    },
    linkLost(since) {
      // Silence that began before this process did goes on.
      lostSince = since === undefined ? undefined : Math.min(since, lostSince ?? since);
      for (const job of jobs.values()) job.masterLost(lostSince);
    },
    keeperLost() {
      for (const job of running())
        if (job.build.kept !== undefined)
          job.retry('the keeper of its commands ended: how they ended is not known');
    },
    idle() {
      if (running().length === 0) return Promise.resolve();
      return new Promise((resolve) => idlers.push(resolve));
    },
    async stop(why) {
      all.draining = true;
      await Promise.all(taking);
      for (const job of running()) job.retry(why);
      await Promise.all([...[...jobs.values()].map(({ done }) => done), ...leaving]);
    },
  };
  return all;
}

/** Keeps in a set what has not settled yet, as a promise that does not reject. */
function keepUntilSettled(set: Set<Promise<unknown>>, act: Promise<unknown>): void {
  const settled = act.catch(() => undefined);
  set.add(settled);
  void settled.then(() => set.delete(settled));
}

/** The number of the try, the token's first part. */
function attemptOf(token: string): number {
  return Number(token.split('-')[0]);
}

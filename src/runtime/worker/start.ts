import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { sleep, within } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { createSteadyClock } from '../../base/steady-clock.ts';
import { sentences, type BbxError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import { workerLayout } from '../../config/layout.ts';
import type { WorkerConfig } from '../../config/worker.ts';
import { lockDirectory } from '../../exec/directory-lock.ts';
import { watchLocked } from '../../exec/directory-watch.ts';
import { ownUids } from '../../exec/end-processes.ts';
import type { Environment } from '../../exec/environment.ts';
import { lookUpIdentity } from '../../exec/identity.ts';
import { printAddress } from '../../net/endpoint/address.ts';
import { openGitRoutes } from '../../net/git-routes.ts';
import type { DialledWay } from '../../protocol/bbx/dial-facts.ts';
import type { Limits } from '../../protocol/bbx/limits.ts';
import { machineElapsed } from './elapsed.ts';
import { createJobs } from './jobs.ts';
import { openKeptBuilds, type KeptBuilds } from './keeper/kept-builds.ts';
import { openLinkHistory } from './link-history.ts';
import { clockWords, watchClocks } from './link-watch.ts';
import { startLink } from './link.ts';
import type { LinkOptions, LinkState } from './link.ts';
import { machineFacts } from './machine-facts.ts';
import { unusualSilence } from './silence.ts';
import { createPlaceTrier } from './link-places.ts';
import { tryWays } from './link-ways.ts';
import { createPlaces } from './places.ts';
import { openSpool } from './spool.ts';
import { endFormer } from './start-former.ts';
import { dialMaster } from './start-dial.ts';
import { openIdentity, sayWhatRootMeans } from './start-identity.ts';
import { workerMarker } from './workspace.ts';

/** At the end, how long what is still in the spool may take to reach a master that is there; the rest is sent after the next start. */
const LAST_WORDS_MS = 3_000;
/** Ending a step takes TERM, KILL and the journal; one that waits longer is stuck in a full spool. */
const STOP_BUILDS_MS = 15_000;

export interface WorkerDeps {
  /** The worker's directory. */
  dir: string;
  /** `bbx 0.1.0`, for the greeting. */
  software: string;
  clock: Clock;
  log: Log;
  env: Environment;
  /** Asked when the master cannot be reached. */
  diagnose?: LinkOptions['diagnose'];
  /** False: commands run in this process and end with it, as in a farm of one process. */
  keeper?: boolean;
  /** For tests: another way to connect. */
  dial?: LinkOptions['dial'];
  random?: () => number;
  limits?: Partial<Limits>;
}

export interface WorkerState {
  link: LinkState;
  /** Address of the master while connected. */
  peer: string | undefined;
  running: number;
  /** Builds that have ended and are not yet stored at the master. */
  waiting: number;
  draining: boolean;
  notes: readonly string[];
}

/** A worker that runs. */
export interface Worker extends AsyncDisposable {
  readonly state: WorkerState;
  /** `sha256:…` of its key, for `bbx worker approve`. */
  readonly fingerprint: string;
  /** Resolves when the worker cannot go on (replaced: exit 8, refused: 4, removed: 5, its directory is gone: 6) with the error that says so, or after `stop` with undefined. */
  readonly ended: Promise<BbxError | undefined>;
  /**
   * With `drain` no build is taken any more, running ones go on up to the configured `drainTimeout` and their results are delivered;
   * then, or at once without it, builds are ended and told as `retry`. A second call with `drain: false` cuts a drain short.
   */
  stop(options: { drain: boolean }): Promise<void>;
}

/** Starts a worker in its directory. Throws BBX-EXE-LOCKED, BBX-PRO-KEY, BBX-PRO-JOIN, BBX-EXE-USER. */
export async function startWorker(config: WorkerConfig, deps: WorkerDeps): Promise<Worker> {
  const { log, env } = deps;
  // Builds and logs are timed by this one; whoever sets the machine's time moves nothing that runs.
  const clock = createSteadyClock(deps.clock);
  const layout = workerLayout(deps.dir);
  const lock = await lockDirectory(layout.lock);
  let kept: KeptBuilds | undefined;
  try {
    const own = await openIdentity(layout, config.pins, log);
    const runAs = config.runAs === null ? null : await lookUpIdentity(config.runAs);
    sayWhatRootMeans(log, runAs);
    await mkdir(layout.builds, { recursive: true, mode: runAs === null ? 0o700 : 0o711 });
    kept =
      deps.keeper === false
        ? undefined
        : await openKeptBuilds({ dir: layout.root, software: deps.software, clock, log });
    const left = await endFormer(
      layout.builds,
      kept?.found.map(({ builddir }) => builddir) ?? [],
      ownUids(runAs?.uid),
    );
    if (left > 0) log.warn(`ended ${left} processes that builds of a former start had left`);
    const routes = await openGitRoutes({ via: config.via, env });
    const spool = await openSpool({
      dir: layout.spool,
      limitBytes: config.spoolLimitBytes,
      clock,
      log,
      kept: kept?.find,
    });
    const places = createPlaces({
      builds: layout.builds,
      env,
      identity: runAs,
      openRoute: routes.open,
    });
    // Counted before they go on: one may end within a moment.
    const adopted = spool.builds.filter(
      ({ kept: by, finished }) => by?.former !== undefined && !finished,
    ).length;
    const jobs = createJobs({
      spool,
      silentMs: kept?.silentMs,
      wasEnded: (build) => kept?.wasEnded(basename(build.dir)) ?? false,
      hold: (build, secrets) =>
        kept?.hold({
          key: basename(build.dir),
          dir: build.dir,
          builddir: build.lease.plan.builddir,
          marker: `${workerMarker(layout.builds)}/${build.lease.plan.builddir}`,
          uids: ownUids(runAs?.uid),
          orphanAfter: build.lease.orphanAfter,
          secrets,
        }) ?? Promise.resolve(undefined),
      maxBuilds: config.maxBuilds,
      clock,
      log,
      openPlace: (builddir) => places.open(builddir),
    });
    const written = config.master.map(printAddress);
    const boot = randomBytes(12).toString('hex');
    const elapsed = machineElapsed();
    const history = await openLinkHistory({
      file: layout.linkHistory,
      boot,
      clock: deps.clock,
      elapsed,
      log,
    });
    history.add({ kind: 'began', software: deps.software, ...(adopted === 0 ? {} : { adopted }) });
    const unwatch = watchClocks({
      clock: deps.clock,
      elapsed,
      onFact(fact) {
        history.add(fact);
        log.warn(clockWords(fact));
      },
    });
    const targets = () => [...new Set([...written, ...own.reach()])];
    const trying = new AbortController();
    let tried: Promise<DialledWay[]> | undefined;
    /** Who asks while they are tried gets the same answer. */
    const tryAll = () =>
      (tried ??= tryWays({
        ...{ targets: targets(), via: config.via, pins: own.pins(), software: deps.software, clock },
        signal: trying.signal,
      }).finally(() => (tried = undefined)));
    const link = startLink({
      name: config.name,
      key: own.key,
      boot,
      software: deps.software,
      maxBuilds: config.maxBuilds,
      facts: machineFacts(config.tags, runAs),
      jobs,
      spool,
      clock,
      log,
      history,
      targets,
      pins: () => own.pins(),
      secret: () => own.secret(),
      dial: deps.dial ?? ((target, options) => dialMaster(target, { ...options, via: config.via })),
      onFirstContact: (pin) => own.learn({ pins: [pin], reach: [] }),
      async onAccepted(learned) {
        await own.learn(learned);
        await own.enrolled();
        // Now that the master has been reached: starting it beside that would make both slower.
        kept?.warm();
      },
      onLearned: (learned) => {
        own
          .learn(learned)
          .catch((error: unknown) => log.error('cannot remember what the master said', { error }));
      },
      tryWays: tryAll,
      tryPlaces: createPlaceTrier({ isBehindHops: config.via.length > 0, signal: trying.signal }),
      diagnose: deps.diagnose,
      via: config.via,
      ...(deps.random === undefined ? {} : { random: deps.random }),
      ...(deps.limits === undefined ? {} : { limits: deps.limits }),
    });
    spool.onNote(() => link.tellState());
    kept?.watch({
      lost() {
        jobs.keeperLost();
        kept?.warm();
      },
      spool: spool.keeperSaid,
      trouble: spool.keeperTrouble,
      silentMs: () =>
        jobs.lostSince === undefined ? unusualSilence(link.silentMs) : clock.monotonic() - jobs.lostSince,
      room: () => ({ limit: spool.limit, other: spool.other }),
    });

    const ended = Promise.withResolvers<BbxError | undefined>();
    const hurry = new AbortController();
    let stopping: Promise<void> | undefined;

    /** Resolves when all is delivered, or the link is down, or after a while. */
    async function lastWords(): Promise<void> {
      const until = clock.monotonic() + LAST_WORDS_MS;
      while (jobs.all.length > 0 && link.state === 'connected' && clock.monotonic() < until) await sleep(20);
    }
    async function drain(): Promise<void> {
      jobs.draining = true;
      link.tellState();
      if (jobs.running > 0)
        log.info(
          `draining: waiting for ${jobs.running} ${jobs.running === 1 ? 'build' : 'builds'}, at most ${config.drainTimeoutMs / 1000} s`,
        );
      const limit = sleep(config.drainTimeoutMs, hurry.signal).catch(() => undefined);
      await Promise.race([jobs.idle(), limit]);
      hurry.abort();
    }
    async function finish(error: BbxError | undefined): Promise<void> {
      try {
        await close(error);
      } catch (fault) {
        if (gone === undefined) throw fault;
        log.debug('the end in a directory that is gone', { error: sentences(fault).join(': ') });
        await kept?.quit();
        ended.resolve(gone);
      } finally {
        watched[Symbol.dispose]();
        places[Symbol.dispose]();
        // What has its name now may be another's.
        if (gone === undefined) lock.release();
      }
    }
    async function close(error: BbxError | undefined): Promise<void> {
      const builds = jobs.stop('the worker was stopped');
      await within(builds, STOP_BUILDS_MS);
      // A step that waits for room is let fail; where even its end finds none, its build is told as interrupted at the next start.
      spool.giveUp();
      await within(builds, STOP_BUILDS_MS);
      if (error === undefined) await lastWords();
      trying.abort(new Error('the worker is stopping'));
      await link.stop();
      unwatch();
      history.add({ kind: 'ended' });
      await history.close();
      await spool.close();
      await builds;
      await kept?.quit();
      await routes[Symbol.asyncDispose]();
      ended.resolve(error ?? gone);
    }
    let gone: BbxError | undefined;
    const watched = watchLocked(layout.lock, (error) => {
      gone = error;
      log.error(error.message);
      hurry.abort();
      stopping ??= finish(error);
    });
    // What ends the link for good ends the worker.
    void link.ended.then(
      (error) => {
        if (error === undefined || stopping !== undefined) return;
        log.error(error.message);
        stopping = finish(error);
      },
      (fault: unknown) => ended.reject(fault),
    );

    const stop = ({ drain: inGoodOrder }: { drain: boolean }): Promise<void> => {
      if (!inGoodOrder) hurry.abort();
      stopping ??= (inGoodOrder ? drain() : Promise.resolve()).then(() => finish(undefined));
      return stopping;
    };
    return {
      fingerprint: own.key.fingerprint,
      ended: ended.promise,
      get state() {
        return {
          link: link.state,
          peer: link.peer,
          running: jobs.running,
          waiting: jobs.all.length - jobs.running,
          draining: jobs.draining,
          notes: spool.notes(),
        };
      },
      stop,
      [Symbol.asyncDispose]: () => stop({ drain: false }),
    };
  } catch (error) {
    kept?.leave();
    lock.release();
    throw error;
  }
}

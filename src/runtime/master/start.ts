import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { createSteadyClock } from '../../base/steady-clock.ts';
import { sentences, type BbxError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import { controlSocket, masterLayout } from '../../config/layout.ts';
import type { MasterConfig } from '../../config/master-config.ts';
import { openGitRoutes } from '../../net/git-routes.ts';
import { listen } from '../../net/listen.ts';
import { createTlsServer } from '../../net/tls/server.ts';
import { workerRows } from '../../store/workers.ts';
import { createBuildTimes } from './build-times.ts';
import { createBuilds } from './builds.ts';
import { createChanges } from './changes.ts';
import { createDispatcher } from './dispatch.ts';
import { createFarm } from './events.ts';
import { openHouse } from './house.ts';
import { openControlSocket } from './http/control.ts';
import { createHandlers } from './http/handlers.ts';
import { registerRoutes } from './http/routes.ts';
import { registerStreams } from './http/streams.ts';
import { openWebPort } from './http/web.ts';
import { createLogIntake } from './logs.ts';
import { runPollers } from './polling/poller.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { adoptConfig, createLiveConfig, type LiveConfig } from './reload.ts';
import { createRequests } from './requests.ts';
import { runRetention } from './retention.ts';
import { runSchedulers } from './schedulers/runner.ts';
import type { MasterFacts } from './status.ts';
import { createStop, type StopOptions } from './stop.ts';
import { keepTime } from './timekeeper.ts';
import { createTroubleList } from './trouble.ts';
import { createArrivals } from './workers/arrivals.ts';
import { createWorkerAdmin } from './workers/admin.ts';
import { createWorkerPort } from './workers/port.ts';
import { openLinkBook } from './workers/link-book.ts';
import { createPathProbe } from './workers/path-probe.ts';
import { createRoster } from './workers/roster.ts';
import { createWorkerSessions } from './workers/sessions.ts';
import { workerOf } from './workers/worker-row.ts';
import { waysHere } from './workers/ways.ts';

/** How long the end waits for a database that is away: its server may be starting anew, and what is not stored then comes again. */
const STORE_END_MS = 2_000;

export interface MasterDeps {
  /** The master's directory. */
  dir: string;
  /** `0.1.0`, for status, workers and logs. */
  version: string;
  /** The file that `config` was read from, for status. */
  file: string;
  clock: Clock;
  random: () => number;
  log: Log;
  /** The process's environment: for git, and for where the control socket goes when the directory's path is long. */
  env: Readonly<Record<string, string | undefined>>;
  /** Reads and checks the configuration again; throws what is wrong with it. */
  reloadConfig: () => Promise<MasterConfig>;
  /** Ends a start that waits for its store. */
  signal?: AbortSignal;
  /** Finds out why a target cannot be reached, for the words of `status`. */
  diagnose?:
    | ((failure: { error: unknown; target: string }) => Promise<readonly { id: string; title: string }[]>)
    | undefined;
}

/** A running master. */
export interface Master extends AsyncDisposable {
  /** Addresses that are really bound. */
  readonly bound: { workers: readonly string[]; web: readonly string[] };
  readonly controlSocket: string;
  /** The pin of the farm's key. */
  readonly fingerprint: string;
  /** Sentences about what is not as asked, such as a host without IPv6. */
  readonly notes: readonly string[];
  /** Loads the configuration again and applies it, whole or not at all; throws what is wrong with it. */
  apply(): Promise<{ changed: boolean; changes: string[] }>;
  /** Resolves when the store is another master's, or not what it was, or cannot be flushed, or the directory is gone: this one has to stop, and builds go on at their workers. */
  readonly lost: Promise<BbxError>;
  /**
   * Stores what has arrived and ends within 5 s; builds go on at their workers. With `drain` nothing new starts, and running builds are
   * waited for first; with `cancel` they are cancelled first. A second call without `drain` cuts a drain short, and may ask for `cancel`.
   */
  stop(options?: StopOptions): Promise<void>;
}

/**
 * Starts a master in its directory: lock, store, control socket, ports, builds of the last life, pollers, schedulers, dispatcher. What was
 * opened is closed again when a later part fails. Throws BBX-EXE-LOCKED, BBX-STO-…, BBX-NET-…, BBX-API-SOCKET-PATH.
 */
export async function startMaster(config: MasterConfig, deps: MasterDeps): Promise<Master> {
  const opened = new AsyncDisposableStack();
  try {
    return await open(config, deps, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** Everything that is opened goes onto `opened`, in the order in which the end takes it back. */
async function open(first: MasterConfig, deps: MasterDeps, opened: AsyncDisposableStack): Promise<Master> {
  const { dir, clock, random, log, env } = deps;
  const layout = masterLayout(dir);
  const startedAt = clock.wall();
  const stopping = new AbortController();

  const trouble = createTroubleList({ clock, log });
  const house = await openHouse(first, { ...deps, trouble }, opened);
  const { key, keyPem, certificate, store, files } = house;
  const pins = [key.fingerprint];

  const farm = createFarm({ store, clock, log });
  let bound: Master['bound'] = { workers: [], web: [] };
  const live: LiveConfig = createLiveConfig({
    farm,
    first,
    load: deps.reloadConfig,
    clock,
    log,
    async onApplied() {
      await dispatcher.load();
      pollers.apply();
      schedulers.nudge();
      sessions.announce();
      dispatcher.nudge();
    },
  });
  const current = () => live.current;
  const reach = () => waysHere(current(), bound.workers);
  await adoptConfig(farm, first, undefined);

  const roster = createRoster({ config: current, monotonic: () => clock.monotonic() });
  for (const row of await store.read((db) => workerRows(db))) roster.put(workerOf(row));
  const logs = createLogIntake({ files, store, clock, log, trouble });
  // What is measured (builds, links) has a clock that nobody sets; what is agreed (nights, expiries) has the machine's.
  const steady = createSteadyClock(clock);
  const times = createBuildTimes(clock, steady);
  /** A build that begins while none runs beyond those that are ending begins at the machine's time. */
  const beginsAt = (ending: number) => {
    if (builds.running.size <= ending) steady.settle();
    return steady.wall();
  };
  const atStart: Clock = { monotonic: () => clock.monotonic(), wall: () => beginsAt(0) };
  const builds = createBuilds({
    farm,
    roster,
    logs,
    files,
    recorder: (): Recorder => recorder,
    config: current,
    times,
    clock: steady,
    log,
    trouble,
    onRequeued: (build) => dispatcher.requeue(build),
  });
  const recorder = createRecorder({
    farm,
    logs,
    clock: steady,
    log,
    trouble,
    onEnded: (build, ended) => builds.ended(build, ended),
    places: { next: () => dispatcher.next(), freed: () => dispatcher.nudge() },
  });
  const dispatcher = createDispatcher({ farm, roster, builds, config: current, now: beginsAt, log });
  const book = await openLinkBook({ farm, clock, steady, log });
  const requests = createRequests({ farm, builds, dispatcher, clock: atStart });
  const changes = createChanges({ farm, config: current, clock });
  const arrivals = createArrivals(clock);
  const paths = createPathProbe({ arrivals, bound: () => bound.workers, clock });
  const sessions = createWorkerSessions({
    arrivals,
    paths,
    farm,
    roster,
    builds,
    key,
    reach,
    pins,
    software: `bbx ${deps.version}`,
    trouble,
    book,
    times,
    clock,
    log,
    onReady: () => dispatcher.nudge(),
  });
  const workers = createWorkerAdmin({
    farm,
    store,
    roster,
    sessions,
    identity: () => ({ keyPem, pins, reach: reach() }),
    clock,
    onChange: () => dispatcher.nudge(),
    endRest: (worker) => builds.endRest(worker),
    giveUp(worker, why) {
      for (const build of builds.running.of(worker)) builds.giveUp(build, why, 'uncounted');
    },
  });
  await builds.load();
  await dispatcher.load();

  // From here on things run: each is stopped before what it writes to is closed.
  opened.defer(() => book.stop());
  opened.defer(keepTime({ clock, steady, idle: () => builds.running.size === 0, log }));
  opened.defer(() => logs.stop());
  opened.defer(() => recorder.stop());
  opened.defer(() => dispatcher.stop());
  const schedulers = runSchedulers({ farm, requests, config: current, clock, log });
  opened.defer(() => schedulers.stop());
  opened.defer(
    farm.listen((events) => {
      if (events.some(({ event }) => event.type === 'change.added')) schedulers.nudge();
    }),
  );
  const facts = (): MasterFacts => ({
    title: current().title,
    version: deps.version,
    epoch: store.epoch,
    started_at: startedAt,
    listening: { workers: [...bound.workers], web: [...bound.web] },
    reach: reach(),
    draining: dispatcher.draining,
    config: { file: deps.file, loaded_at: live.loadedAt, error: live.error },
  });
  const handlers = createHandlers({
    ...{ farm, roster, logs, requests, changes, workers, trouble, dispatcher, schedulers, clock },
    ...{ book, paths, config: current, facts, live },
  });
  const onWorker = createWorkerPort({ sessions, log, signal: stopping.signal });
  const tls = { key: keyPem, cert: certificate };
  // Nobody is let in before the undo is there: sessions end with a word before their sockets are closed; and losing them is then not news
  // about the builds.
  const ports = opened.use(new AsyncDisposableStack());
  opened.defer(() => sessions.stop());
  opened.defer(() => builds.stop());
  opened.defer(() => logs.hurry());
  const workerPort = await listen({
    addresses: first.listen.workers,
    tls,
    onConnection: onWorker,
    onAccept: (ends) => arrivals.came(ends),
  });
  ports.defer(() => workerPort.close(0));
  // At once: who comes while the rest is opened is told these.
  bound = { workers: workerPort.bound, web: [] };
  const inner = createTlsServer(tls, onWorker);
  const web = await openWebPort({
    addresses: first.listen.web,
    log,
    onTunnel: (stream, ends) => inner.secure(stream, ends),
    mayCome: () => sessions.mayCome(),
  });
  ports.defer(() => web.close());
  bound = { ...bound, web: web.bound };
  builds.listening();

  const routes = opened.use(await openGitRoutes({ via: [], env }));
  const pollers = runPollers({
    ...{ farm, config: current, clock, random, log, trouble, env },
    mirrors: join(layout.root, '.bbx', 'mirrors'),
    routes,
    diagnose: diagnosis(deps),
  });
  opened.defer(() => pollers.stop());
  const retention = runRetention({ store, files, config: current, clock, log });
  opened.defer(() => retention.stop());
  // Last, since who asks for `status` must find everything at work.
  const control = await openControlSocket({
    path: controlSocket(dir, env),
    log,
    register(app) {
      registerRoutes(app, handlers);
      registerStreams(app, { farm, files, logs, signal: stopping.signal });
    },
  });
  opened.defer(() => control.close());
  pollers.apply();
  dispatcher.nudge();

  const stop = createStop({
    ...{ farm, builds, dispatcher, log },
    async close() {
      stopping.abort(new Error('the master stops'));
      // A git that must be killed takes 2 s: not after, but beside the sessions' last words.
      void pollers.stop();
      const storeLimit = setTimeout(() => store.hurry(), STORE_END_MS);
      await opened
        .disposeAsync()
        .catch((error: unknown) => {
          if (!house.isGone()) throw error;
          log.debug('the end in a directory that is gone', { error: sentences(error).join(': ') });
        })
        .finally(() => clearTimeout(storeLimit));
    },
  });
  return {
    bound,
    controlSocket: control.path,
    fingerprint: key.fingerprint,
    notes: [...workerPort.notes, ...web.notes],
    apply: () => live.apply(),
    lost: house.lost,
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

/** The doctor's first finding about a repository's host, in words. */
function diagnosis({ diagnose }: MasterDeps) {
  if (diagnose === undefined) return undefined;
  return async (target: string, error: BbxError): Promise<string | undefined> => {
    const [finding] = await diagnose({ error, target });
    return finding === undefined ? undefined : `${finding.id}: ${finding.title}`;
  };
}

import { BbxError } from '../../base/error.ts';
import { sleep } from '../../base/abort.ts';
import type { Log } from '../../base/log.ts';
import type { MasterConfig } from '../../config/master.ts';
import { listBuilders } from '../../store/builders.ts';
import { pendingRequests, requestById } from '../../store/buildrequests.ts';
import { secretsOf } from '../../build/plan-secrets.ts';
import type { Builds } from './builds.ts';
import { claimBuilds, type NextBuilds, type Started } from './claim.ts';
import type { Farm } from './events.ts';
import { match, type Pair, type Queue, type Waiting } from './match.ts';
import { createWaitingRequests, type WaitingRequests } from './queue.ts';
import { nameOf, type Running } from './running.ts';
import { readSecrets } from './secrets.ts';
import { oneLine } from './trouble.ts';
import type { Roster } from './workers/roster.ts';

/** Builds that one transaction begins: some tens of milliseconds at most, so that results of others are not held up. */
const CLAIMS = 100;
/** Requests that are read in one piece at the start. */
const LOAD = 1_000_000;
const RETRY_MS = 1_000;
/** Workers that rest, and builders that starve, are looked at again at least this often. */
const LOOK_AGAIN_MS = 5_000;

export interface Dispatcher {
  readonly waiting: WaitingRequests;
  /** Reads what waits; called once before the first `nudge`, and when the configuration has changed. */
  load(): Promise<void>;
  /** A request that was submitted waits. */
  add(builderid: number, request: Waiting): void;
  /** A request that lost its build waits again. */
  requeue(build: Running): void;
  /** A request is gone. */
  remove(buildrequestid: number): void;
  /** Something has changed: requests, workers, or places. Coalesces. */
  nudge(): void;
  /** For a transaction that ends builds. Undefined while a round is under way, or nothing may begin: then a nudge afterwards is due. */
  next(): NextBuilds | undefined;
  /** Starts nothing more. */
  drain(): void;
  readonly draining: boolean;
  stop(): Promise<void>;
}

/** Gives waiting requests to workers, whenever it is nudged. */
export function createDispatcher(options: {
  farm: Farm;
  roster: Roster;
  builds: Builds;
  config: () => MasterConfig;
  /** The time at which a build begins while so many others are about to end, epoch seconds. */
  now: (ending: number) => number;
  log: Log;
}): Dispatcher {
  const { farm, roster, builds, config, log: say } = options;
  let waiting = createWaitingRequests();
  /** What began to wait while `load` reads, whose rows may be from before. */
  let newcomers: { builderid: number; request: Waiting }[] | undefined;
  const stopping = new AbortController();
  const names = new Map<number, string>();
  const lastStarted = new Map<number, number>();
  let draining = false;
  let again = false;
  let round: Promise<void> | undefined;
  /** Somebody has `next`: pairs are made of what memory says, so by one at a time, until memory knows of them. */
  let taken = false;
  /** The last assignments of it. */
  let assigning: Promise<unknown> | undefined;

  const mayStart = () => !draining && !stopping.signal.aborted;
  const mayGoRound = () => again && !taken && mayStart();

  async function rounds(): Promise<void> {
    while (mayGoRound()) {
      // A turn of the event loop: nudges that come together are one round.
      await new Promise((resolve) => setImmediate(resolve));
      again = false;
      try {
        const pairs = pairsNow(options.now(0));
        for (let from = 0; from < pairs.length && !draining; from += CLAIMS) {
          await start(pairs.slice(from, from + CLAIMS));
        }
      } catch (error) {
        // A store that is away says so itself, once.
        if (!(error instanceof BbxError && error.retryable))
          say.error('Builds could not be started', { error: oneLine(error) });
        again = true;
        await sleep(RETRY_MS, stopping.signal).catch(() => undefined);
      }
    }
  }

  function wait(builderid: number, request: Waiting): void {
    waiting.add(builderid, request);
    newcomers?.push({ builderid, request });
  }

  /** Who gets what, as memory has it, less builds that are about to end. */
  function pairsNow(now: number, ending?: ReadonlySet<number>): Pair[] {
    const waits = queues();
    // Each of a thousand workers that come at once asks for a round: without a request there is nobody to look through them for.
    return waits.length === 0 ? [] : match(waits, roster.candidates(ending), now);
  }

  function queues(): Queue[] {
    const found: Queue[] = [];
    for (const builderid of waiting.builders()) {
      const builder = names.get(builderid);
      const known = builder === undefined ? undefined : config().builders[builder];
      if (builder === undefined || known === undefined) continue;
      const wants = { tags: known.workers.tags ?? [], names: known.workers.names ?? [] };
      found.push({
        builder,
        wants,
        waiting: waiting.of(builderid),
        lastStartedAt: lastStarted.get(builderid) ?? null,
      });
    }
    return found;
  }

  /** Begins builds for pairs: rows and events first, then the workers hear of it. */
  async function start(pairs: readonly Pair[]): Promise<void> {
    const now = options.now(0);
    const claimed = await farm.change((tx, emit) => {
      // The end may have begun while this waited for its turn to write.
      const wanted = mayStart() ? pairs : [];
      return claimBuilds(tx, emit, wanted, { roster, config: config(), now });
    });
    await begin(claimed, now);
  }

  /** Memory follows the rows, in one go; then the workers hear of it. */
  function begin({ started, gone }: { started: Started[]; gone: number[] }, now: number): Promise<unknown> {
    for (const id of gone) waiting.remove(id);
    for (const { build } of started) {
      waiting.remove(build.requestid);
      lastStarted.set(build.builderid, now);
      builds.running.add(build);
    }
    return Promise.all(started.map(assign));
  }

  async function assign({ build, plan, orphanAfter }: Started): Promise<void> {
    try {
      const secrets = await readSecrets(config(), secretsOf(plan));
      const { attached } = build.worker;
      // Cancelled, or its worker came anew without it, while the secrets were read.
      if (build.ended || build.givenUp) return;
      if (attached?.ready !== true || attached.session.ended) {
        // It went between the round and the commit, and never heard of this build.
        return builds.giveUp(build, `worker "${build.worker.name}" went before it began`, 'uncounted');
      }
      const values = Object.fromEntries([...secrets].map(([name, secret]) => [name, secret.reveal()]));
      attached.session.assign(build.lease, { plan, secrets: values, orphanAfter });
      build.session = attached.session;
      if (build.cancelReason !== null) attached.session.cancel(build.lease, build.cancelReason);
      say.info('Build started', { build: nameOf(build), worker: build.worker.name });
    } catch (error) {
      // A secret that cannot be read, or a plan that no message carries: trying again would not help.
      say.error('Build could not be assigned', { build: nameOf(build), error: oneLine(error) });
      builds.fail(build, oneLine(error));
    }
  }

  /** Until it was read: a request that nobody knows of would wait for a restart. */
  async function readAgain(request: number): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const row = await farm.store.read((db) => requestById(db, request));
        if (row === undefined || row.claimed_at !== null || row.complete_at !== null) return;
        wait(row.builderid, waitingOf(row));
        dispatcher.nudge();
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        say.error('A request could not be read again', { request: `r${request}`, error: oneLine(error) });
        await sleep(RETRY_MS, stopping.signal).catch(() => undefined);
      }
    }
  }

  const timer = setInterval(() => dispatcher.nudge(), LOOK_AGAIN_MS);
  const dispatcher: Dispatcher = {
    get waiting() {
      return waiting;
    },
    get draining() {
      return draining;
    },
    async load() {
      const came: typeof newcomers = (newcomers = []);
      const { builders, pending } = await farm.store
        .read(async (db) => ({
          builders: await listBuilders(db),
          pending: await pendingRequests(db, LOAD),
        }))
        .finally(() => (newcomers = undefined));
      names.clear();
      for (const { builderid, name } of builders) names.set(builderid, name);
      waiting = createWaitingRequests();
      for (const row of pending) waiting.add(row.builderid, waitingOf(row));
      // One that was claimed or cancelled meanwhile is found out by its claim.
      for (const { builderid, request } of came) waiting.add(builderid, request);
    },
    add: wait,
    requeue(build) {
      void readAgain(build.requestid);
    },
    remove: (id) => void waiting.remove(id),
    nudge() {
      again = true;
      if (!mayGoRound()) return;
      round ??= rounds().finally(() => {
        round = undefined;
        if (mayGoRound()) dispatcher.nudge();
      });
    },
    next() {
      if (round !== undefined || taken || !mayStart()) return undefined;
      taken = true;
      let now = 0;
      let claimed: { started: Started[]; gone: number[] } | undefined;
      return {
        async claim(tx, emit, ending) {
          // As in `start`.
          if (!mayStart()) return;
          now = options.now(ending.size);
          const pairs = pairsNow(now, ending);
          again ||= pairs.length > CLAIMS;
          claimed = await claimBuilds(tx, emit, pairs.slice(0, CLAIMS), { roster, config: config(), now });
        },
        begin() {
          if (claimed !== undefined) assigning = begin(claimed, now);
        },
        release() {
          taken = false;
          if (again) dispatcher.nudge();
        },
      };
    },
    drain() {
      draining = true;
    },
    async stop() {
      clearInterval(timer);
      stopping.abort(new Error('the master stops'));
      await round;
      await assigning;
    },
  };
  return dispatcher;
}

function waitingOf(row: { buildrequestid: number; priority: number; submitted_at: number }): Waiting {
  return { id: row.buildrequestid, priority: row.priority, submittedAt: row.submitted_at };
}

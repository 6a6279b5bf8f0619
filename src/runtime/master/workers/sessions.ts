import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type {
  Decision,
  MasterSession,
  MasterSessionHandlers,
  WorkerClaim,
} from '../../../protocol/bbx/master-contract.ts';
import { serveMasterSession } from '../../../protocol/bbx/master-session.ts';
import type { SigningKey } from '../../../protocol/bbx/keys.ts';
import { PROBES } from '../../../protocol/bbx/probe-desk.ts';
import { HISTORY } from '../../../protocol/bbx/link-facts.ts';
import { CLOSE, type MessageSocket } from '../../../protocol/bbx/wire.ts';
import { workerSeen, type WorkerRow } from '../../../store/workers.ts';
import type { BuildTimes } from '../build-times.ts';
import type { Builds } from '../builds.ts';
import type { Farm } from '../events.ts';
import { createTogether } from '../together.ts';
import { oneLine, type TroubleList } from '../trouble.ts';
import type { Arrivals } from './arrivals.ts';
import { createAlternation } from './alternation.ts';
import { tellAside } from './aside.ts';
import { followDrain } from './drain.ts';
import { enrol, letInKnown } from './enrolment.ts';
import type { LinkBook } from './link-book.ts';
import { createLatest } from './latest.ts';
import type { PathProbe } from './path-probe.ts';
import type { Roster, Worker } from './roster.ts';
import { canUseControlSocket } from './neighbour.ts';
import { createStrangers } from './strangers.ts';
import { workerOf } from './worker-row.ts';
import { sayNotes, sayTwice } from './worker-trouble.ts';

/** Seconds until one of two rivals may try again. */
const RIVAL_AGAIN_S = 60;
/** Seconds until a worker that came in a rush may try again. */
const BUSY_AGAIN_S = 10;
/** A worker that speaks of its state all the time is listened to so often. */
const STATE_EVERY_MS = 250;
/** Ends that a worker brought about by what it did; 1009: a message that was too large. */
const BY_ITS_FAULT: ReadonlySet<number> = new Set([
  ...[CLOSE.malformed, CLOSE.notReading, CLOSE.notPausing, CLOSE.refused],
  1009,
]);
/** A name as it may stand in rows, logs and file names. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export interface WorkerSessions {
  /** Serves a connection that has its WebSocket; `exporter` is empty over plain TCP. */
  serve(socket: MessageSocket, from: { peer: string; exporter: Uint8Array }): void;
  /** Whether one more connection may come: those that are not let in yet are counted. */
  mayCome(): boolean;
  /** Counts a connection until the given function is called, or it is let in. */
  counting(): () => void;
  /** Tells every worker what it should know: reach, pins, whether it is paused. */
  announce(worker?: Worker): void;
  /** Ends the session of a worker that was removed. */
  remove(worker: Worker): void;
  /** Ends all sessions; builds go on at the workers. */
  stop(): Promise<void>;
}

/** The sessions of workers, one for each name. */
export function createWorkerSessions(options: {
  farm: Farm;
  roster: Roster;
  builds: Builds;
  key: SigningKey;
  reach: () => readonly string[];
  pins: readonly string[];
  software: string;
  trouble: TroubleList;
  book: LinkBook;
  arrivals: Arrivals;
  paths: Pick<PathProbe, 'answered'>;
  times: BuildTimes;
  clock: Clock;
  log: Log;
  /** A worker can take work now. */
  onReady: () => void;
}): WorkerSessions {
  const { farm, roster, builds, key, reach, pins, software, trouble, clock, log: say, onReady } = options;
  const { book, times, arrivals, paths } = options;
  const alternation = createAlternation();
  const together = createTogether(farm);
  const sessions = new Map<MasterSession, Promise<void>>();
  const strangers = createStrangers();
  let stopping = false;

  async function authenticate(claim: WorkerClaim): Promise<Decision> {
    if (stopping) return { let: 'out', reason: 'busy', message: 'the master is stopping', retryAfter: 1 };
    if (!NAME.test(claim.name)) return { let: 'out', reason: 'unknown' };
    const ways = { reach: reach(), pins };
    const known = await farm.store.read((db) => letInKnown(db, claim, ways));
    const { outcome, row, dropped } =
      known ??
      (await farm.change((tx, emit) => enrol(tx, emit, claim, { now: clock.wall(), ...ways, log: say })));
    for (const name of dropped) roster.forget(name);
    if (row !== undefined && !claim.probe) remember(row);
    if (outcome.let === 'out') {
      say.info('Worker refused', {
        name: claim.name,
        peer: claim.peer,
        reason: outcome.reason,
        fingerprint: claim.fingerprint,
      });
      return outcome;
    }
    const current = roster.get(claim.name)?.attached;
    if (!claim.probe && current !== undefined && !current.session.ended) {
      if (!alternation.mayReplace(claim.name, current, claim, clock.monotonic())) {
        const message = `two processes use the name "${claim.name}" in turn, from ${current.peer} and from ${claim.peer}; stop one of them`;
        sayTwice(trouble, { worker: claim.name, old: current.peer, newcomer: claim.peer, refused: true });
        return { let: 'out', reason: 'alternating', message, retryAfter: RIVAL_AGAIN_S };
      }
    }
    return outcome;
  }

  /** Takes a row into the roster, or what is new in it. */
  function remember(row: WorkerRow): void {
    const known = roster.get(row.name);
    if (known === undefined) roster.put(workerOf(row));
    else {
      Object.assign(known, { state: row.state, publicKey: row.public_key, peer: row.last_peer });
      known.seenAt = row.last_seen_at;
    }
  }

  function accept(session: MasterSession, claim: WorkerClaim, id: string): MasterSessionHandlers {
    const worker = roster.get(claim.name)!;
    const done = Promise.withResolvers<void>();
    sessions.set(session, done.promise);
    const old = worker.attached;
    const page = book.open(worker, session, { id, boot: claim.boot, peer: claim.peer });
    worker.attached = {
      session,
      page,
      boot: claim.boot,
      peer: claim.peer,
      software: claim.software,
      ready: false,
      maxBuilds: 1,
      draining: false,
      facts: worker.facts,
      notes: [],
      capabilities: [],
    };
    const mine = worker.attached;
    followDrain(farm, worker, claim.boot, say);
    if (old !== undefined && !old.session.ended) {
      say.warn('Worker session replaced', { name: worker.name, from: old.peer, to: claim.peer });
      if (old.boot === claim.boot)
        old.session.close(CLOSE.normal, 'replaced by a newer session of the same process');
      else {
        sayTwice(trouble, { worker: worker.name, old: old.peer, newcomer: claim.peer, refused: false });
        old.session.bye('replaced', `"${worker.name}" has connected from ${claim.peer}`);
      }
    }
    const isCurrent = () => worker.attached === mine;
    const states = createLatest<{ draining: boolean; notes: readonly string[] }>(STATE_EVERY_MS, (state) => {
      if (!isCurrent()) return;
      const began = state.draining && !mine.draining;
      Object.assign(mine, state);
      sayNotes(trouble, worker.name, state.notes);
      onReady();
      if (!began) return;
      farm
        .change(async (_, emit) => emit({ type: 'worker.changed', name: worker.name, what: 'draining' }))
        .catch((fault: unknown) =>
          say.error('A drain could not be told', { name: worker.name, error: oneLine(fault) }),
        );
    });

    return {
      async onInventory(inventory) {
        if (!isCurrent()) return;
        page.ahead = inventory.clock?.ahead ?? null;
        times.learn(session, inventory.clock);
        const facts = { ...inventory.facts };
        Object.assign(worker, {
          facts,
          maxBuilds: inventory.maxBuilds,
          peer: claim.peer,
          seenAt: clock.wall(),
        });
        mine.capabilities = inventory.capabilities ?? [];
        Object.assign(mine, { facts, maxBuilds: inventory.maxBuilds, draining: inventory.draining });
        await builds.adopt(worker, session, inventory);
        if (!isCurrent()) return;
        let told: string[] = [];
        await together(async (tx, emit) => {
          told = tellAside(worker, inventory.aside ?? [], emit, say);
          const info = { maxBuilds: inventory.maxBuilds, facts, software: claim.software, aside: told };
          await workerSeen(tx, worker.name, { at: clock.wall(), peer: claim.peer, info });
          emit({ type: 'worker.changed', name: worker.name, what: 'attached' });
        });
        worker.aside = new Set(told);
        if (!isCurrent()) return;
        mine.ready = true;
        announce(worker);
        say.info('Worker attached', { name: worker.name, peer: claim.peer, software: claim.software });
        if (canUseControlSocket({ peer: claim.peer, facts })) {
          say.warn(
            `Builds of worker "${worker.name}" run on this host with the master's rights: they can use its control socket; ` +
              'run the worker as another user, or set runAs in its worker.yaml',
          );
        }
        onReady();
      },
      onAssigned: (answer) => builds.assigned(worker, answer),
      onDialled: (answer) => paths.answered(worker, answer),
      onHistory: (records) => page.told(records),
      onProgress: (lease, sequence, event) => builds.progress(session, lease, sequence, event),
      onBytes: (piece) => builds.bytes(session, piece),
      onAbandoned: (lease, why) => builds.abandoned(session, lease, why),
      onState: (state) => states.give(state),
      onClosed(end) {
        page.closed(end);
        states.stop();
        const { code, reason, error } = end;
        say[BY_ITS_FAULT.has(code) ? 'warn' : 'info']('Worker detached', {
          name: worker.name,
          peer: claim.peer,
          code,
          reason,
          ...(error === undefined ? {} : { error: error.message }),
        });
        void detach(worker, session, isCurrent())
          .catch((fault: unknown) =>
            say.error('A session could not be ended', { name: worker.name, error: oneLine(fault) }),
          )
          .finally(() => {
            sessions.delete(session);
            done.resolve();
          });
      },
    };
  }

  async function detach(worker: Worker, session: MasterSession, current: boolean): Promise<void> {
    const wasReady = current && worker.attached?.ready === true;
    if (current) {
      worker.attached = undefined;
      worker.seenAt = clock.wall();
    }
    await builds.away(worker, session);
    if (!current) return;
    sayNotes(trouble, worker.name, []);
    // It may come back mended.
    builds.endRest(worker);
    await together(async (tx, emit) => {
      await workerSeen(tx, worker.name, { at: worker.seenAt ?? clock.wall() });
      if (wasReady) emit({ type: 'worker.changed', name: worker.name, what: 'detached' });
    });
  }

  function announce(worker: Worker): void {
    const { attached } = worker;
    if (attached?.ready !== true) return;
    attached.session.settings({ paused: worker.paused, reach: [...reach()], pins: [...pins] });
  }

  return {
    mayCome: () => strangers.mayCome() && !stopping,
    counting: () => strangers.counting(),
    serve(socket, { peer, exporter }) {
      const uncount = strangers.counting();
      serveMasterSession({
        socket,
        peer,
        exporter,
        key,
        epoch: farm.store.epoch,
        software,
        clock,
        capabilities: [HISTORY, PROBES],
        mayHold: () => strangers.mayHold(),
        onHello: (nonce) => arrivals.greeted(peer, nonce),
        authenticate: async (claim) =>
          strangers.tooMany()
            ? { let: 'out', reason: 'busy', retryAfter: BUSY_AGAIN_S }
            : authenticate(claim),
        accept(session, claim, id) {
          uncount();
          return accept(session, claim, id);
        },
        onRejected(end) {
          uncount();
          say.debug('Connection was not let in', { peer, code: end.code, reason: end.reason });
        },
      });
    },
    announce(worker) {
      for (const each of worker === undefined ? roster.all() : [worker]) announce(each);
    },
    remove(worker) {
      worker.attached?.session.bye('removed', 'an administrator has removed this worker');
    },
    async stop() {
      stopping = true;
      const open = [...sessions];
      for (const [session] of open) session.bye('stopping', 'the master stops; builds go on');
      await Promise.all(open.map(([, done]) => done));
    },
  };
}

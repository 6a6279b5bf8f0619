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
import type { WorkerRow } from '../../../store/workers.ts';
import type { BuildTimes } from '../build-times.ts';
import type { Builds } from '../builds.ts';
import type { Farm } from '../events.ts';
import { createTogether } from '../together.ts';
import type { TroubleList } from '../trouble.ts';
import type { Arrivals } from './arrivals.ts';
import { createAlternation } from './alternation.ts';
import { attachWorker, type Attaching } from './attached-session.ts';
import { followDrain } from './drain.ts';
import { enrol, letInKnown } from './enrolment.ts';
import type { LinkBook } from './link-book.ts';
import type { PathProbe } from './path-probe.ts';
import type { Roster, Worker } from './roster.ts';
import { createStrangers } from './strangers.ts';
import { workerOf } from './worker-row.ts';
import { sayTwice } from './worker-trouble.ts';

/** Seconds until one of two rivals may try again. */
const RIVAL_AGAIN_S = 60;
/** Seconds until a worker that came in a rush may try again. */
const BUSY_AGAIN_S = 10;
/** A name as it may stand in rows, logs and file names. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export interface WorkerSessions {
  /** Serves a connection that has its WebSocket; `exporter` is empty over plain TCP. Resolves when it is let in, or gone. */
  serve(socket: MessageSocket, from: { peer: string; exporter: Uint8Array }): Promise<void>;
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
  const sessions = new Set<MasterSession>();
  const emptied = Promise.withResolvers<void>();
  const strangers = createStrangers();
  let stopping = false;
  const attaching: Attaching = {
    ...{ farm, builds, book, times, paths, trouble, clock, log: say, together, onReady, announce },
    ended(session) {
      sessions.delete(session);
      if (stopping && sessions.size === 0) emptied.resolve();
    },
  };

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
    sessions.add(session);
    const old = worker.attached;
    const handlers = attachWorker(attaching, { worker, session, claim, id });
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
    return handlers;
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
      const settled = Promise.withResolvers<void>();
      const counted = strangers.counting();
      const uncount = () => {
        counted();
        settled.resolve();
      };
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
      return settled.promise;
    },
    announce(worker) {
      for (const each of worker === undefined ? roster.all() : [worker]) announce(each);
    },
    remove(worker) {
      worker.attached?.session.bye('removed', 'an administrator has removed this worker');
    },
    async stop() {
      stopping = true;
      for (const session of [...sessions]) session.bye('stopping', 'the master stops; builds go on');
      if (sessions.size > 0) await emptied.promise;
    },
  };
}

import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { SessionEnd } from '../../../protocol/bbx/line.ts';
import type {
  LogBytes,
  MasterSession,
  MasterSessionHandlers,
  WorkerClaim,
} from '../../../protocol/bbx/master-contract.ts';
import type { Lease } from '../../../protocol/bbx/lease.ts';
import type { MessageOf, WorkerMessage } from '../../../protocol/bbx/messages.ts';
import { CLOSE } from '../../../protocol/bbx/wire.ts';
import type { ProgressEvent } from '../../../build/progress.ts';
import { workerSeen } from '../../../store/workers.ts';
import type { BuildTimes } from '../build-times.ts';
import type { Builds } from '../builds.ts';
import type { Farm } from '../events.ts';
import type { createTogether } from '../together.ts';
import { oneLine, type TroubleList } from '../trouble.ts';
import { tellAside } from './aside.ts';
import { createLatest, type Latest } from './latest.ts';
import type { LinkBook } from './link-book.ts';
import { canUseControlSocket } from './neighbour.ts';
import type { PathProbe } from './path-probe.ts';
import type { Attachment, Worker } from './roster.ts';
import { sayNotes } from './worker-trouble.ts';

/** A worker that speaks of its state all the time is listened to so often. */
const STATE_EVERY_MS = 250;
/** Ends that a worker brought about by what it did; 1009: a message that was too large. */
const BY_ITS_FAULT: ReadonlySet<number> = new Set([
  ...[CLOSE.malformed, CLOSE.notReading, CLOSE.notPausing, CLOSE.refused],
  1009,
]);
/** Of most workers: they have none. */
const NONE: ReadonlySet<string> = new Set();

/** What all sessions share. */
export interface Attaching {
  farm: Farm;
  builds: Builds;
  book: LinkBook;
  times: BuildTimes;
  paths: Pick<PathProbe, 'answered'>;
  trouble: TroubleList;
  clock: Clock;
  log: Log;
  together: ReturnType<typeof createTogether>;
  /** A worker can take work now. */
  onReady(): void;
  /** Tells a worker what it should know. */
  announce(worker: Worker): void;
  /** A session is over, and all of it is written. */
  ended(session: MasterSession): void;
}

interface State {
  draining: boolean;
  notes: readonly string[];
}

/** A worker was let in by this session: it is the worker's current one from now on. Gives what handles its messages. */
export function attachWorker(
  shared: Attaching,
  of: { worker: Worker; session: MasterSession; claim: WorkerClaim; id: string },
): MasterSessionHandlers {
  return new AttachedSession(shared, of);
}

/** A class, since there are thousands: nine closures of each would be nine times sixty bytes and the claim that they keep. */
class AttachedSession implements MasterSessionHandlers {
  readonly #shared: Attaching;
  readonly #worker: Worker;
  readonly #mine: Attachment;
  #states: Latest<State> | undefined;

  constructor(
    shared: Attaching,
    of: { worker: Worker; session: MasterSession; claim: WorkerClaim; id: string },
  ) {
    const { worker, session, claim, id } = of;
    const { boot, peer, software } = claim;
    this.#shared = shared;
    this.#worker = worker;
    this.#mine = {
      session,
      page: shared.book.open(worker, session, { id, boot, peer }),
      boot,
      peer,
      software,
      ready: false,
      maxBuilds: 1,
      draining: false,
      facts: worker.facts,
      notes: [],
      capabilities: [],
    };
    worker.attached = this.#mine;
  }

  async onInventory(inventory: MessageOf<WorkerMessage, 'inventory'>): Promise<void> {
    const { builds, times, clock, log: say, together, announce, onReady } = this.#shared;
    const worker = this.#worker;
    const mine = this.#mine;
    const { session, page, peer, software } = mine;
    if (!this.#isCurrent) return;
    page.ahead = inventory.clock?.ahead ?? null;
    times.learn(session, inventory.clock);
    const facts = { ...inventory.facts };
    Object.assign(worker, { facts, maxBuilds: inventory.maxBuilds, peer, seenAt: clock.wall() });
    mine.capabilities = inventory.capabilities ?? [];
    Object.assign(mine, { facts, maxBuilds: inventory.maxBuilds, draining: inventory.draining });
    await builds.adopt(worker, session, inventory);
    if (!this.#isCurrent) return;
    let told: string[] = [];
    await together(async (tx, emit) => {
      told = tellAside(worker, inventory.aside ?? [], emit, say);
      const info = { maxBuilds: inventory.maxBuilds, facts, software, aside: told };
      await workerSeen(tx, worker.name, { at: clock.wall(), peer, info });
      emit({ type: 'worker.changed', name: worker.name, what: 'attached' });
    });
    worker.aside = told.length === 0 ? NONE : new Set(told);
    if (!this.#isCurrent) return;
    mine.ready = true;
    announce(worker);
    say.info('Worker attached', { name: worker.name, peer, software });
    if (canUseControlSocket({ peer, facts })) {
      say.warn(
        `Builds of worker "${worker.name}" run on this host with the master's rights: they can use its control socket; ` +
          'run the worker as another user, or set runAs in its worker.yaml',
      );
    }
    onReady();
  }

  onAssigned(answer: Parameters<Builds['assigned']>[1]): void | Promise<void> {
    return this.#shared.builds.assigned(this.#worker, answer);
  }

  onDialled(answer: MessageOf<WorkerMessage, 'dialled'>): void {
    this.#shared.paths.answered(this.#worker, answer);
  }

  onHistory(records: MessageOf<WorkerMessage, 'history'>['records']): void {
    this.#mine.page.told(records);
  }

  onProgress(lease: Lease, sequence: number, event: ProgressEvent): void | Promise<void> {
    return this.#shared.builds.progress(this.#mine.session, lease, sequence, event);
  }

  onBytes(piece: LogBytes): void | Promise<void> {
    return this.#shared.builds.bytes(this.#mine.session, piece);
  }

  onAbandoned(lease: Lease, why: string): void | Promise<void> {
    return this.#shared.builds.abandoned(this.#mine.session, lease, why);
  }

  onState(state: State): void {
    this.#states ??= createLatest(STATE_EVERY_MS, (newest) => this.#takeState(newest));
    this.#states.give(state);
  }

  onClosed(end: SessionEnd): void {
    const { log: say, ended } = this.#shared;
    const { name } = this.#worker;
    const { session, page, peer } = this.#mine;
    page.closed(end);
    this.#states?.stop();
    const { code, reason, error } = end;
    say[BY_ITS_FAULT.has(code) ? 'warn' : 'info']('Worker detached', {
      name,
      peer,
      code,
      reason,
      ...(error === undefined ? {} : { error: error.message }),
    });
    void this.#detach(this.#isCurrent)
      .catch((fault: unknown) => say.error('A session could not be ended', { name, error: oneLine(fault) }))
      .finally(() => ended(session));
  }

  get #isCurrent(): boolean {
    return this.#worker.attached === this.#mine;
  }

  #takeState(state: State): void {
    if (!this.#isCurrent) return;
    const { farm, trouble, log: say, onReady } = this.#shared;
    const { name } = this.#worker;
    const began = state.draining && !this.#mine.draining;
    Object.assign(this.#mine, state);
    sayNotes(trouble, name, state.notes);
    onReady();
    if (!began) return;
    farm
      .change(async (_, emit) => emit({ type: 'worker.changed', name, what: 'draining' }))
      .catch((fault: unknown) => say.error('A drain could not be told', { name, error: oneLine(fault) }));
  }

  async #detach(current: boolean): Promise<void> {
    const { builds, trouble, clock, together } = this.#shared;
    const worker = this.#worker;
    const wasReady = current && this.#mine.ready;
    if (current) {
      worker.attached = undefined;
      worker.seenAt = clock.wall();
    }
    await builds.away(worker, this.#mine.session);
    if (!current) return;
    sayNotes(trouble, worker.name, []);
    // It may come back mended.
    builds.endRest(worker);
    await together(async (tx, emit) => {
      await workerSeen(tx, worker.name, { at: worker.seenAt ?? clock.wall() });
      if (wasReady) emit({ type: 'worker.changed', name: worker.name, what: 'detached' });
    });
  }
}

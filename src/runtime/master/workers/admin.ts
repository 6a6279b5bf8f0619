import type { Clock } from '../../../base/clock.ts';
import { didYouMean } from '../../../base/did-you-mean.ts';
import type { FarmEvent } from '../../../api/objects.ts';
import type { Store } from '../../../store/store.ts';
import type { Tx } from '../../../store/database.ts';
import { revokeJoins } from '../../../store/joins.ts';
import {
  approveWorker,
  findWorker,
  setWorkerDraining,
  setWorkerPaused,
  upsertWorker,
} from '../../../store/workers.ts';
import { codes } from '../codes.ts';
import type { Farm } from '../events.ts';
import { invite, type FarmIdentity, type Invitation, type Invited } from './invite.ts';
import type { Roster, Worker } from './roster.ts';
import type { WorkerSessions } from './sessions.ts';
import { workerOf } from './worker-row.ts';

/** What people do with workers. Unknown names are BBX-API-NOT-FOUND, wrong states BBX-API-WORKER-STATE. */
export interface WorkerAdmin {
  known(name: string): Worker;
  invite(invitation: Invitation): Promise<Invited>;
  approve(name: string): Promise<Worker>;
  pause(name: string): Promise<Worker>;
  /** Takes back a pause or a drain, and ends the rest of one that refused builds. */
  resume(name: string): Promise<Worker>;
  /** Gives it nothing more, until its process starts anew or it is resumed. */
  drain(name: string): Promise<Worker>;
  /** Refuses it from now on; its builds are tried elsewhere. */
  remove(name: string): Promise<Worker>;
  /** Rows that somebody else wrote (the command line while the master runs) are taken in. */
  refresh(name: string): Promise<void>;
}

type What = Extract<FarmEvent, { type: 'worker.changed' }>['what'];

/** What people do to workers: invite, approve, pause, resume, drain, remove. */
export function createWorkerAdmin(options: {
  farm: Farm;
  store: Store;
  roster: Roster;
  sessions: WorkerSessions;
  identity: () => FarmIdentity;
  clock: Clock;
  /** Places have come or gone. */
  onChange: () => void;
  /** A worker that refused builds is asked again. */
  endRest: (worker: Worker) => void;
  /** A removed worker's builds are given up. */
  giveUp: (worker: Worker, why: string) => void;
}): WorkerAdmin {
  const { farm, store, roster, sessions, identity, clock, onChange, endRest, giveUp } = options;

  async function change(worker: Worker, what: What, act: (tx: Tx) => Promise<unknown>): Promise<Worker> {
    await farm.change(async (tx, emit) => {
      await act(tx);
      emit({ type: 'worker.changed', name: worker.name, what });
    });
    return worker;
  }

  function approved(name: string, wanted: string): Worker {
    const worker = admin.known(name);
    if (worker.state === 'approved') return worker;
    throw codes['BBX-API-WORKER-STATE']({ name, state: worker.state, wanted });
  }

  const admin: WorkerAdmin = {
    known(name) {
      const worker = roster.get(name);
      if (worker !== undefined) return worker;
      const names = roster.all().map((each) => each.name);
      throw codes['BBX-API-NOT-FOUND']({ kind: 'worker', name, meant: didYouMean(name, names) });
    },
    async invite(invitation) {
      const invited = await invite(store, identity(), invitation, clock);
      await admin.refresh(invitation.names);
      return invited;
    },
    async approve(name) {
      const worker = admin.known(name);
      if (worker.state === 'approved') return worker;
      if (worker.state !== 'pending') {
        throw codes['BBX-API-WORKER-STATE']({ name, state: worker.state, wanted: 'approve' });
      }
      await change(worker, 'approved', (tx) => approveWorker(tx, name));
      worker.state = 'approved';
      onChange();
      return worker;
    },
    async pause(name) {
      const worker = approved(name, 'pause');
      if (worker.paused) return worker;
      await change(worker, 'paused', (tx) => setWorkerPaused(tx, name, true));
      worker.paused = true;
      sessions.announce(worker);
      return worker;
    },
    async resume(name) {
      const worker = approved(name, 'resume');
      endRest(worker);
      if (!worker.paused && !worker.draining) {
        onChange();
        return worker;
      }
      await change(worker, 'resumed', async (tx) => {
        await setWorkerPaused(tx, name, false);
        await setWorkerDraining(tx, name, null);
      });
      worker.paused = false;
      worker.draining = false;
      worker.drains = null;
      sessions.announce(worker);
      onChange();
      return worker;
    },
    async drain(name) {
      const worker = approved(name, 'drain');
      if (worker.draining) return worker;
      const boot = worker.attached?.boot ?? '';
      await change(worker, 'draining', (tx) => setWorkerDraining(tx, name, boot));
      worker.draining = true;
      worker.drains = boot;
      return worker;
    },
    async remove(name) {
      const worker = admin.known(name);
      if (worker.state === 'removed') return worker;
      await change(worker, 'removed', async (tx) => {
        // Its invitation must not bring it back.
        await revokeJoins(tx, name);
        await upsertWorker(tx, { name, state: 'removed', now: clock.wall() });
      });
      worker.state = 'removed';
      giveUp(worker, `worker "${name}" was removed`);
      sessions.remove(worker);
      onChange();
      return worker;
    },
    async refresh(name) {
      const row = await store.read((db) => findWorker(db, name));
      if (row === undefined) return;
      const worker = roster.get(name);
      if (worker === undefined) roster.put(workerOf(row));
      else Object.assign(worker, { state: row.state, publicKey: row.public_key, paused: row.paused });
    },
  };
  return admin;
}

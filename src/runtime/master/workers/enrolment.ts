import { randomBytes } from 'node:crypto';
import type { Log } from '../../../base/log.ts';
import type { Decision, WorkerClaim } from '../../../protocol/bbx/master-contract.ts';
import type { Db, Tx } from '../../../store/database.ts';
import { joinBySecret, redeemJoin, secretHash } from '../../../store/joins.ts';
import {
  findWorker,
  findWorkerByKey,
  prunePending,
  upsertWorker,
  workerSeen,
  type WorkerRow,
} from '../../../store/workers.ts';
import type { Emit } from '../events.ts';
import { decideEnrolment } from './enrol.ts';

/** Workers that wait for approval, at most: anybody who reaches the port can ask. The oldest go first. */
const PENDING = 100;
/** Seconds until a worker that waits for approval asks again. */
const PENDING_AGAIN_S = 5;

export interface Enrolled {
  outcome: Decision;
  /** The row of the name, as it is now. */
  row: WorkerRow | undefined;
  /** Names that waited for too long and are forgotten. */
  dropped: string[];
}

/**
 * Lets in a worker that is approved with this very key: the usual case, in which nothing is decided or written, so that a thousand that come
 * back at once do not wait for one another's transactions. Undefined: `enrol` decides.
 */
export async function letInKnown(
  db: Db,
  claim: WorkerClaim,
  { reach, pins }: { reach: readonly string[]; pins: readonly string[] },
): Promise<Enrolled | undefined> {
  const row = await findWorker(db, claim.name);
  const sameKey = row?.public_key === Buffer.from(claim.publicKey).toString('base64');
  if (row?.state !== 'approved' || !sameKey) return undefined;
  return { outcome: letIn(reach, pins), row, dropped: [] };
}

function letIn(reach: readonly string[], pins: readonly string[]): Decision {
  return { let: 'in', session: randomBytes(8).toString('hex'), reach, pins };
}

/** Decides about a claim and writes what follows, in one transaction. A probe writes nothing. */
export async function enrol(
  tx: Tx,
  emit: Emit,
  claim: WorkerClaim,
  farm: { now: number; reach: readonly string[]; pins: readonly string[]; log: Log },
): Promise<Enrolled> {
  const { name, secret, peer, fingerprint } = claim;
  const { now, reach, pins, log } = farm;
  const publicKey = Buffer.from(claim.publicKey).toString('base64');
  const row = await findWorker(tx, name);
  const holder = await findWorkerByKey(tx, publicKey);
  const hash = secret === undefined ? undefined : secretHash(secret);
  const join = hash === undefined ? undefined : await joinBySecret(tx, hash, name);
  const decision = decideEnrolment(
    { name, publicKey },
    {
      byName: row === undefined ? undefined : { state: row.state, publicKey: row.public_key },
      nameOfKey: holder?.name,
      join: join === undefined ? undefined : { ...join, expiresAt: join.expires_at },
      secretGiven: secret !== undefined,
    },
    now,
  );
  const inside = letIn(reach, pins);
  const pending: Decision = {
    let: 'out',
    reason: 'pending',
    message: `"${name}" waits for approval, with the key ${fingerprint}`,
    retryAfter: PENDING_AGAIN_S,
  };
  const dropped: string[] = [];
  switch (decision.act) {
    case 'out':
      return { outcome: { let: 'out', reason: decision.reason }, row, dropped };
    case 'in':
      return { outcome: inside, row, dropped };
    case 'enrol': {
      if (claim.probe) return { outcome: inside, row, dropped };
      const redeemed = await redeemJoin(tx, { secretHash: hash!, name, publicKey, now });
      if (!redeemed.ok) return { outcome: { let: 'out', reason: 'unknown' }, row, dropped };
      await upsertWorker(tx, { name, state: 'approved', publicKey, now });
      emit({ type: 'worker.changed', name, what: 'approved' });
      log.info('Worker enrolled', { name, peer, fingerprint });
      return { outcome: inside, row: await findWorker(tx, name), dropped };
    }
    case 'pend': {
      if (claim.probe) return { outcome: pending, row, dropped };
      if (row?.state !== 'pending') {
        await upsertWorker(tx, { name, state: 'pending', publicKey, now });
        emit({ type: 'worker.changed', name, what: 'pending' });
        log.warn('Worker waits for approval', {
          name,
          peer,
          fingerprint,
          next: `bbx worker approve ${name}`,
        });
        dropped.push(...(await prunePending(tx, PENDING)));
        for (const each of dropped) emit({ type: 'worker.changed', name: each, what: 'removed' });
      }
      await workerSeen(tx, name, { at: now, peer });
      return { outcome: pending, row: await findWorker(tx, name), dropped };
    }
  }
}

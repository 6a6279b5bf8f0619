import { createHash } from 'node:crypto';
import { matchesPattern } from '../base/pattern.ts';
import type { Db, Tx } from './database.ts';

export interface JoinRow {
  joinid: number;
  /** One name, or a pattern (`base/pattern.ts`). */
  names: string;
  uses: number;
  used: number;
  expires_at: number;
  created_at: number;
}

/** Why a secret is not accepted. `used`: no use is left; `taken`: that name came with this secret before, with another key. */
export type JoinRefusal = 'unknown' | 'expired' | 'names' | 'used' | 'taken';

/** The form in which secrets are kept and looked up: SHA-256 in hex. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Adds a join secret, given as its hash. Gives its id. */
export async function addJoin(
  tx: Tx,
  join: { secretHash: string; names: string; uses: number; expiresAt: number; now: number },
): Promise<number> {
  const { joinid } = await tx
    .insertInto('joins')
    .values({
      secret_sha256: join.secretHash,
      names: join.names,
      uses: join.uses,
      expires_at: join.expiresAt,
      created_at: join.now,
    })
    .returning('joinid')
    .executeTakeFirstOrThrow();
  return joinid;
}

/** Makes the joins for these names worthless, such as before a renewed one. How many there were. */
export async function revokeJoins(tx: Tx, names: string): Promise<number> {
  const done = await tx.deleteFrom('joins').where('names', '=', names).executeTakeFirst();
  return Number(done.numDeletedRows);
}

/** Joins for exactly these names that have not expired, used up or not, oldest first. */
export async function joinsFor(db: Db, names: string, now: number): Promise<JoinRow[]> {
  return db
    .selectFrom('joins')
    .select(['joinid', 'names', 'uses', 'used', 'expires_at', 'created_at'])
    .where('expires_at', '>', now)
    .where('names', '=', names)
    .orderBy('joinid')
    .execute();
}

/** The join that a secret opens, whatever its state, and the key with which `name` used it before. */
export async function joinBySecret(
  db: Db,
  hash: string,
  name: string,
): Promise<(JoinRow & { usedWithKey: string | undefined }) | undefined> {
  const join = await db
    .selectFrom('joins')
    .select(['joinid', 'names', 'uses', 'used', 'expires_at', 'created_at'])
    .where('secret_sha256', '=', hash)
    .executeTakeFirst();
  if (join === undefined) return undefined;
  const use = await db
    .selectFrom('join_uses')
    .select('public_key')
    .where('joinid', '=', join.joinid)
    .where('worker_name', '=', name)
    .executeTakeFirst();
  return { ...join, usedWithKey: use?.public_key };
}

/**
 * Uses a secret once, for a name and a key. The same name and key may come again with it until it expires, which costs no further
 * use: so a lost answer locks nobody out.
 */
export async function redeemJoin(
  tx: Tx,
  claim: { secretHash: string; name: string; publicKey: string; now: number },
): Promise<{ ok: true; joinid: number; again: boolean } | { ok: false; reason: JoinRefusal }> {
  const { secretHash: hash, name, publicKey, now } = claim;
  const join = await tx.selectFrom('joins').selectAll().where('secret_sha256', '=', hash).executeTakeFirst();
  if (join === undefined) return { ok: false, reason: 'unknown' };
  if (join.expires_at <= now) return { ok: false, reason: 'expired' };
  if (!matchesPattern(join.names, name)) return { ok: false, reason: 'names' };
  const { joinid } = join;
  const before = await tx
    .selectFrom('join_uses')
    .select('public_key')
    .where('joinid', '=', joinid)
    .where('worker_name', '=', name)
    .executeTakeFirst();
  if (before !== undefined) {
    return before.public_key === publicKey
      ? { ok: true, joinid, again: true }
      : { ok: false, reason: 'taken' };
  }
  const counted = await tx
    .updateTable('joins')
    .set((update) => ({ used: update('used', '+', 1) }))
    .where('joinid', '=', joinid)
    .whereRef('used', '<', 'uses')
    .executeTakeFirst();
  if (counted.numUpdatedRows === 0n) return { ok: false, reason: 'used' };
  await tx
    .insertInto('join_uses')
    .values({ joinid, worker_name: name, public_key: publicKey, used_at: now })
    .execute();
  return { ok: true, joinid, again: false };
}

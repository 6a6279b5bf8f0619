import { createHmac } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import { isPattern } from '../../../base/pattern.ts';
import { Secret } from '../../../base/secret.ts';
import { printJoin } from '../../../protocol/bbx/join.ts';
import { addJoin, joinBySecret, joinsFor, revokeJoins, secretHash } from '../../../store/joins.ts';
import type { Tx } from '../../../store/database.ts';
import type { Store } from '../../../store/store.ts';
import { findWorker, upsertWorker, type WorkerRow } from '../../../store/workers.ts';
import { codes } from '../codes.ts';

/** What an invitation is asked to be; the API's and the command line's `worker add`. */
export interface Invitation {
  /** One name, or a pattern with `*` when `uses` is over 1. */
  names: string;
  uses: number;
  expiresMs: number;
  /** Makes a new secret although an unused one is still good; a name that has a key already may come with a new one. */
  renew: boolean;
}

/** What is printed into every join string. */
export interface FarmIdentity {
  /** The farm's private key (PEM): join secrets are derived from it, so that an unused one can be shown again and none is stored. */
  keyPem: string;
  pins: readonly string[];
  reach: readonly string[];
}

export interface Invited {
  name: string;
  join: string;
  /** Epoch seconds. */
  expires: number;
  changed: boolean;
  /** What whoever uses it should know of the workers that have the name, in sentences. */
  notes: string[];
}

/** A name or a pattern: what can stand in a file name, a log line and a shell without quotes. */
const NAMES = /^[A-Za-z0-9*][A-Za-z0-9._*-]{0,99}$/;
/** 192 bits: far beyond guessing, and short to paste. */
const SECRET_BYTES = 24;

/**
 * Invites workers: makes a join secret, or shows the one that is still unused (`changed: false`). Works on an open store, whether a master runs
 * or not. The secret is HMAC-SHA-256 of what its row says, keyed with the farm's private key; the row keeps only its hash.
 * Throws BBX-MAS-JOIN.
 */
export async function invite(
  store: Store,
  identity: FarmIdentity,
  invitation: Invitation,
  clock: Clock,
): Promise<Invited> {
  const { names, uses, expiresMs, renew } = invitation;
  const wrong = (problem: string) => codes['BBX-MAS-JOIN']({ names, problem });
  if (!NAMES.test(names))
    throw wrong('a name has letters, digits, ".", "_" and "-" only, and 100 characters at most');
  if (isPattern(names) && uses === 1)
    throw wrong('a pattern is for several workers: say how many with --uses');
  if (!isPattern(names) && uses > 1) throw wrong('several uses need a pattern, such as --names "vps-*"');
  if (identity.reach.length === 0) {
    throw wrong('nobody could find this master: set "reach" in its configuration first');
  }
  const now = clock.wall();
  return store.write(async (tx) => {
    const single = !isPattern(names);
    const worker = single ? await findWorker(tx, names) : undefined;
    if (!renew && worker?.state !== 'removed') {
      // How long a repeated call wants it to live does not matter: the same question has the same answer until that one expires. It is also
      // good for who used it already, with the same key.
      for (const join of (await joinsFor(tx, names, now)).toReversed()) {
        const shown = print(join.created_at, join.expires_at, false, usedNotes(names, join));
        // Those that were made before the farm had a store cannot be shown again: nobody knows their secrets.
        if (join.uses === uses && (await isOf(tx, join.joinid, join))) return shown;
      }
    }
    const expires = now + expiresMs / 1_000;
    if (renew) await revokeJoins(tx, names);
    const secret = deriveSecret(identity.keyPem, store.epoch, { names, uses, created: now, expires });
    await addJoin(tx, { secretHash: secretHash(secret.reveal()), names, uses, expiresAt: expires, now });
    if (single && (worker === undefined || worker.state === 'removed')) {
      await upsertWorker(tx, { name: names, state: 'invited', publicKey: null, now });
    }
    return print(now, expires, true, takenNotes(worker));
  });

  async function isOf(
    tx: Tx,
    joinid: number,
    join: { created_at: number; expires_at: number },
  ): Promise<boolean> {
    const row = { names, uses, created: join.created_at, expires: join.expires_at };
    const secret = deriveSecret(identity.keyPem, store.epoch, row);
    return (await joinBySecret(tx, secretHash(secret.reveal()), names))?.joinid === joinid;
  }

  function print(created: number, expires: number, changed: boolean, notes: string[]): Invited {
    const secret = deriveSecret(identity.keyPem, store.epoch, { names, uses, created, expires });
    const { pins, reach } = identity;
    const join = printJoin({ pins, reach, secret, uses, expires, names });
    return { name: names, join, expires, changed, notes };
  }
}

/** Of a join string that is shown again. */
function usedNotes(names: string, { used, uses }: { used: number; uses: number }): string[] {
  if (used < uses) return [];
  return [
    uses === 1
      ? `"${names}" has used this join string: it lets in that directory only. For a new one: bbx worker add ${names} --renew`
      : `All ${uses} uses of this join string are taken: it lets in the directories that used it only (--renew makes a new one)`,
  ];
}

/** Of a fresh join string for a name that the farm knows. */
function takenNotes(worker: WorkerRow | undefined): string[] {
  if (worker?.state === 'approved')
    return [
      `"${worker.name}" is a worker of this farm already: a new directory with this join string takes its name, and the one that has it now is refused`,
    ];
  if (worker?.state === 'pending')
    return [
      `A worker "${worker.name}" waits for approval: "bbx worker approve ${worker.name}" lets that one in, this join string another`,
    ];
  return [];
}

function deriveSecret(
  keyPem: string,
  epoch: string,
  row: { names: string; uses: number; created: number; expires: number },
): Secret {
  const text = JSON.stringify(['bbx join secret v1', epoch, row.names, row.uses, row.created, row.expires]);
  const mac = createHmac('sha256', keyPem.trim()).update(text).digest().subarray(0, SECRET_BYTES);
  return new Secret(mac.toString('base64url'));
}

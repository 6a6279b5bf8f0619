import type { Db, Tx } from './database.ts';
import type { Tables } from './tables.ts';

export type WorkerState = Tables['workers']['state'];

export interface WorkerRow {
  workerid: number;
  name: string;
  state: WorkerState;
  /** SPKI, DER in base64; null until it first came. */
  public_key: string | null;
  paused: boolean;
  /** What the last inventory said, as it was given to `workerSeen`. */
  info: Record<string, unknown>;
  last_peer: string | null;
  last_seen_at: number | null;
  created_at: number;
  /** The process (`boot`) that was asked to drain; empty while it is away; null: none. */
  draining_boot: string | null;
}

/** A worker with the number of its builds that have no result yet. */
export interface WorkerListRow extends WorkerRow {
  running: number;
}

function rowOf(row: Omit<WorkerRow, 'info' | 'paused'> & { info_json: string; paused: number }): WorkerRow {
  const { info_json, paused, ...rest } = row;
  return { ...rest, paused: paused === 1, info: JSON.parse(info_json) as Record<string, unknown> };
}

const COLUMNS = [
  'workers.workerid',
  'workers.name',
  'workers.state',
  'workers.public_key',
  'workers.paused',
  'workers.info_json',
  'workers.last_peer',
  'workers.last_seen_at',
  'workers.created_at',
  'workers.draining_boot',
] as const;

/** The worker of this name, whatever its state. */
export async function findWorker(db: Db, name: string): Promise<WorkerRow | undefined> {
  const row = await db.selectFrom('workers').select(COLUMNS).where('name', '=', name).executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** The worker that this key (SPKI, base64) belongs to. */
export async function findWorkerByKey(db: Db, publicKey: string): Promise<WorkerRow | undefined> {
  const row = await db
    .selectFrom('workers')
    .select(COLUMNS)
    .where('public_key', '=', publicKey)
    .executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** All workers by name, with their running builds. */
export async function workerRows(db: Db, filter: { name?: string } = {}): Promise<WorkerListRow[]> {
  let query = db
    .selectFrom('workers')
    .select(COLUMNS)
    .select((select) =>
      select
        .selectFrom('builds as b')
        .where('b.complete_at', 'is', null)
        .whereRef('b.workerid', '=', 'workers.workerid')
        .select((count) => count.fn.countAll<number>().as('n'))
        .as('running'),
    )
    .orderBy('workers.name');
  if (filter.name !== undefined) query = query.where('workers.name', '=', filter.name);
  const rows = await query.execute();
  return rows.map(({ running, ...row }) => ({ ...rowOf(row), running: Number(running ?? 0) }));
}

/** Adds a worker, or gives the one of that name a new state and, when named, a new key. Gives its id. */
export async function upsertWorker(
  tx: Tx,
  worker: { name: string; state: WorkerState; publicKey?: string | null; now: number },
): Promise<number> {
  const { name, state, publicKey, now } = worker;
  const { workerid } = await tx
    .insertInto('workers')
    .values({ name, state, public_key: publicKey ?? null, paused: 0, info_json: '{}', created_at: now })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ state, ...(publicKey === undefined ? {} : { public_key: publicKey }) }),
    )
    .returning('workerid')
    .executeTakeFirstOrThrow();
  return workerid;
}

/** Lets a pending worker in, with the key that it came with. False when no worker of that name waits. */
export async function approveWorker(tx: Tx, name: string): Promise<boolean> {
  const done = await tx
    .updateTable('workers')
    .set({ state: 'approved' })
    .where('name', '=', name)
    .where('state', '=', 'pending')
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** Lets a worker take builds, or not. False when there is no such worker. */
export async function setWorkerPaused(tx: Tx, name: string, paused: boolean): Promise<boolean> {
  const done = await tx
    .updateTable('workers')
    .set({ paused: paused ? 1 : 0 })
    .where('name', '=', name)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** Remembers which process of a worker was asked to drain; null: none is any more. */
export async function setWorkerDraining(tx: Tx, name: string, boot: string | null): Promise<void> {
  await tx.updateTable('workers').set({ draining_boot: boot }).where('name', '=', name).execute();
}

/** Notes a sign of life, with the address it came from and, when it is news, what the worker says of itself. */
export async function workerSeen(
  tx: Tx,
  name: string,
  seen: { at: number; peer?: string; info?: Readonly<Record<string, unknown>> },
): Promise<void> {
  await tx
    .updateTable('workers')
    .set({
      last_seen_at: seen.at,
      ...(seen.peer === undefined ? {} : { last_peer: seen.peer }),
      ...(seen.info === undefined ? {} : { info_json: JSON.stringify(seen.info) }),
    })
    .where('name', '=', name)
    .execute();
}

/** Forgets the workers that have waited longest for approval, so that at most `most` wait. Gives their names. */
export async function prunePending(tx: Tx, most: number): Promise<string[]> {
  const rows = await tx
    .selectFrom('workers')
    .select(['workerid', 'name'])
    .where('state', '=', 'pending')
    .orderBy('created_at', 'desc')
    .orderBy('workerid', 'desc')
    .offset(most)
    .limit(1_000)
    .execute();
  for (const { workerid } of rows) {
    const built = await tx
      .selectFrom('builds')
      .select('buildid')
      .where('workerid', '=', workerid)
      .executeTakeFirst();
    if (built === undefined) await tx.deleteFrom('workers').where('workerid', '=', workerid).execute();
    else {
      // Its builds name the row, so it stays.
      await tx
        .updateTable('workers')
        .set({ state: 'removed', public_key: null })
        .where('workerid', '=', workerid)
        .execute();
    }
  }
  return rows.map(({ name }) => name);
}

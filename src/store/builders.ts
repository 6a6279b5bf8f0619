import { sql } from 'kysely';
import type { Db, Tx } from './database.ts';
import { prepared } from './prepared.ts';

export interface BuilderRow {
  builderid: number;
  name: string;
  active: boolean;
  next_number: number;
}

/** A builder with what lists show of it. */
export interface BuilderListRow extends BuilderRow {
  /** Requests that wait, and builds that run. */
  pending: number;
  running: number;
  /** Its newest finished build. */
  last: { buildid: number; number: number; results: number; complete_at: number } | null;
}

/** Makes the active builders those of the configuration. Builders that left keep their builds and numbers, and get them back. */
export async function syncBuilders(
  tx: Tx,
  names: readonly string[],
): Promise<{ added: string[]; activated: string[]; deactivated: string[] }> {
  const before = new Map((await listBuilders(tx)).map((builder) => [builder.name, builder]));
  const wanted = new Set(names);
  const added = [...wanted].filter((name) => !before.has(name));
  const activated = [...wanted].filter((name) => before.get(name)?.active === false);
  const deactivated = [...before.values()]
    .filter((row) => row.active && !wanted.has(row.name))
    .map((row) => row.name);
  for (const name of added) await tx.insertInto('builders').values({ name, active: 1 }).execute();
  for (const name of activated) await setActive(tx, name, 1);
  for (const name of deactivated) await setActive(tx, name, 0);
  return { added, activated, deactivated };
}

async function setActive(tx: Tx, name: string, active: number): Promise<void> {
  await tx.updateTable('builders').set({ active }).where('name', '=', name).execute();
}

/** All builders by name, also those that the configuration no longer names. */
export async function listBuilders(db: Db): Promise<BuilderRow[]> {
  const rows = await db.selectFrom('builders').selectAll().orderBy('name').execute();
  return rows.map((row) => ({ ...row, active: row.active === 1 }));
}

/** The builder of this name, active or not. */
export async function findBuilder(db: Db, name: string): Promise<BuilderRow | undefined> {
  const row = await db.selectFrom('builders').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? undefined : { ...row, active: row.active === 1 };
}

const countOn = prepared((db, v: { id: number }) =>
  db
    .updateTable('builders')
    .set((update) => ({ next_number: update('next_number', '+', 1) }))
    .where('builderid', '=', v.id)
    .returning('next_number'),
);

/** Takes the builder's next build number; never given twice. */
export async function allocateNumber(tx: Tx, builderid: number): Promise<number> {
  const row = await countOn.first(tx, { id: builderid });
  if (row === undefined) throw new Error(`there is no builder ${builderid}`);
  return row.next_number - 1;
}

/** Builders by name with their counts and last build, in one query. */
export async function builderRows(
  db: Db,
  filter: { name?: string; active?: boolean } = {},
): Promise<BuilderListRow[]> {
  let query = db
    .selectFrom('builders')
    .leftJoin('builds as last', (join) =>
      join.onRef(
        'last.buildid',
        '=',
        sql<number>`(select b.buildid from builds b where b.builderid = builders.builderid
          and b.complete_at is not null order by b.number desc limit 1)`,
      ),
    )
    .select((select) => [
      'builders.builderid',
      'builders.name',
      'builders.active',
      'builders.next_number',
      'last.buildid as last_buildid',
      'last.number as last_number',
      'last.results as last_results',
      'last.complete_at as last_complete_at',
      select
        .selectFrom('buildrequests as r')
        .whereRef('r.builderid', '=', 'builders.builderid')
        .where('r.complete_at', 'is', null)
        .where('r.claimed_at', 'is', null)
        .select((count) => count.fn.countAll<number>().as('n'))
        .as('pending'),
      select
        .selectFrom('buildrequests as r')
        .innerJoin('builds as b', 'b.buildrequestid', 'r.buildrequestid')
        .whereRef('r.builderid', '=', 'builders.builderid')
        .where('r.complete_at', 'is', null)
        .where('b.complete_at', 'is', null)
        .select((count) => count.fn.countAll<number>().as('n'))
        .as('running'),
    ])
    .orderBy('builders.name');
  if (filter.name !== undefined) query = query.where('builders.name', '=', filter.name);
  if (filter.active !== undefined) query = query.where('builders.active', '=', filter.active ? 1 : 0);
  const rows = await query.execute();
  return rows.map((row) => ({
    builderid: row.builderid,
    name: row.name,
    active: row.active === 1,
    next_number: row.next_number,
    pending: Number(row.pending ?? 0),
    running: Number(row.running ?? 0),
    last:
      row.last_buildid === null || row.last_number === null || row.last_complete_at === null
        ? null
        : {
            buildid: row.last_buildid,
            number: row.last_number,
            results: row.last_results ?? 0,
            complete_at: row.last_complete_at,
          },
  }));
}

import type { Properties } from '../build/plan.ts';
import type { Db, Page, Tx } from './database.ts';

export interface ChangeRow {
  changeid: number;
  repository: string;
  branch: string;
  revision: string;
  author: string;
  comments: string;
  files: string[];
  when_timestamp: number;
  received_at: number;
  properties: Properties;
}

export type NewChange = Omit<ChangeRow, 'changeid'>;

interface StoredChange extends Omit<ChangeRow, 'files' | 'properties'> {
  files_json: string;
  properties_json: string;
}

function rowOf({ files_json, properties_json, ...row }: StoredChange): ChangeRow {
  return {
    ...row,
    files: JSON.parse(files_json) as string[],
    properties: JSON.parse(properties_json) as Properties,
  };
}

/** Adds a change; gives its id. */
export async function addChange(tx: Tx, change: NewChange): Promise<number> {
  const { files, properties, ...rest } = change;
  const { changeid } = await tx
    .insertInto('changes')
    .values({ ...rest, files_json: JSON.stringify(files), properties_json: JSON.stringify(properties) })
    .returning('changeid')
    .executeTakeFirstOrThrow();
  return changeid;
}

/** The change with this id. */
export async function changeById(db: Db, changeid: number): Promise<ChangeRow | undefined> {
  const row = await db.selectFrom('changes').selectAll().where('changeid', '=', changeid).executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** Changes, newest first. `revision` may be the beginning of one, at least seven hex digits. */
export async function changeRows(
  db: Db,
  filter: { repository?: string; branch?: string; revision?: string },
  page: Page,
): Promise<ChangeRow[]> {
  let query = db
    .selectFrom('changes')
    .selectAll()
    .orderBy('changeid', 'desc')
    .limit(page.limit)
    .offset(page.offset ?? 0);
  if (filter.repository !== undefined) query = query.where('repository', '=', filter.repository);
  if (filter.branch !== undefined) query = query.where('branch', '=', filter.branch);
  const { revision } = filter;
  if (revision !== undefined) {
    query = /^[0-9a-f]{7,39}$/.test(revision)
      ? query.where('revision', '>=', revision).where('revision', '<', `${revision}g`)
      : query.where('revision', '=', revision);
  }
  return (await query.execute()).map(rowOf);
}

/** The changes that a buildset answers, oldest first. */
export async function changesOfBuildset(db: Db, buildsetid: number): Promise<ChangeRow[]> {
  const rows = await db
    .selectFrom('buildset_changes')
    .innerJoin('changes', 'changes.changeid', 'buildset_changes.changeid')
    .selectAll('changes')
    .where('buildset_changes.buildsetid', '=', buildsetid)
    .orderBy('changes.changeid')
    .execute();
  return rows.map(rowOf);
}

/** Changes that a scheduler has accepted and not yet built, oldest first. */
export async function schedulerChanges(db: Db, scheduler: string): Promise<ChangeRow[]> {
  const rows = await db
    .selectFrom('scheduler_changes')
    .innerJoin('changes', 'changes.changeid', 'scheduler_changes.changeid')
    .selectAll('changes')
    .where('scheduler_changes.scheduler', '=', scheduler)
    .orderBy('changes.changeid')
    .execute();
  return rows.map(rowOf);
}

import { sql } from 'kysely';
import type { BuildPlan, Properties } from '../build/plan.ts';
import type { Db, Page } from './database.ts';

export interface BuildRow {
  buildid: number;
  builderid: number;
  builder: string;
  number: number;
  buildrequestid: number;
  workerid: number;
  worker: string;
  attempt: number;
  token: string;
  lost_at: number | null;
  sequence: number;
  started_at: number;
  complete_at: number | null;
  results: number | null;
  state_string: string;
  properties: Properties;
  cancel_reason: string | null;
  /** Of its buildset. */
  buildsetid: number;
  reason: string;
  repository: string | null;
  branch: string | null;
  revision: string | null;
}

/** A build that has no result yet, with the plan as it was sent. */
export interface UnfinishedBuildRow extends BuildRow {
  plan: BuildPlan;
  orphan_after: number | null;
}

export interface BuildFilter {
  builder?: string;
  worker?: string;
  complete?: boolean;
  buildsetid?: number;
  /** Builds of sources at this revision. */
  revision?: string;
}

function buildsQuery(db: Db) {
  return db
    .selectFrom('builds')
    .innerJoin('builders', 'builders.builderid', 'builds.builderid')
    .innerJoin('workers', 'workers.workerid', 'builds.workerid')
    .innerJoin('buildrequests', 'buildrequests.buildrequestid', 'builds.buildrequestid')
    .innerJoin('buildsets', 'buildsets.buildsetid', 'buildrequests.buildsetid')
    .select([
      'builds.buildid',
      'builds.builderid',
      'builders.name as builder',
      'builds.number',
      'builds.buildrequestid',
      'builds.workerid',
      'workers.name as worker',
      'builds.attempt',
      'builds.token',
      'builds.lost_at',
      'builds.sequence',
      'builds.started_at',
      'builds.complete_at',
      'builds.results',
      'builds.state_string',
      'builds.properties_json',
      'builds.cancel_reason',
      'buildsets.buildsetid',
      'buildsets.reason',
      'buildsets.repository',
      'buildsets.branch',
      'buildsets.revision',
    ]);
}

function rowOf({
  properties_json,
  ...row
}: Omit<BuildRow, 'properties'> & { properties_json: string }): BuildRow {
  return { ...row, properties: JSON.parse(properties_json) as Properties };
}

/** The build with this id. */
export async function buildById(db: Db, buildid: number): Promise<BuildRow | undefined> {
  const row = await buildsQuery(db).where('builds.buildid', '=', buildid).executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** A builder's build with this number. */
export async function buildByNumber(db: Db, builder: string, number: number): Promise<BuildRow | undefined> {
  const row = await buildsQuery(db)
    .where('builders.name', '=', builder)
    .where('builds.number', '=', number)
    .executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** A builder's build with the highest number, running or not. */
export async function newestBuild(db: Db, builder: string): Promise<BuildRow | undefined> {
  const row = await buildsQuery(db)
    .where('builds.builderid', '=', (select) =>
      select.selectFrom('builders').select('builderid').where('name', '=', builder),
    )
    .orderBy('builds.number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** Builds that `buildByRevision` looks at: their properties are read one by one. */
const LOOK_BACK = 10_000;

/** The newest build of a revision that begins so (hex digits), asked for or found out by the build itself (`got_revision`). */
export async function buildByRevision(db: Db, start: string): Promise<BuildRow | undefined> {
  const row = await buildsQuery(db)
    .where('builds.buildid', '>', (select) =>
      select
        .selectFrom('builds')
        .select((max) => sql<number>`${max.fn.max('buildid')} - ${LOOK_BACK}`.as('from')),
    )
    .where((is) =>
      is.or([
        is('buildsets.revision', 'like', `${start}%`),
        is('builds.properties_json', 'like', `%"got_revision":"${start}%`),
      ]),
    )
    .orderBy('builds.buildid', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** Builds, newest first, in one query. */
export async function buildRows(db: Db, filter: BuildFilter, page: Page): Promise<BuildRow[]> {
  const { builder, worker, buildsetid, revision } = filter;
  let query = buildsQuery(db)
    .limit(page.limit)
    .offset(page.offset ?? 0);
  if (builder === undefined) {
    query = query.orderBy('builds.buildid', 'desc');
  } else {
    query = query
      .where('builds.builderid', '=', (select) =>
        select.selectFrom('builders').select('builderid').where('name', '=', builder),
      )
      .orderBy('builds.number', 'desc');
  }
  if (worker !== undefined) {
    query = query.where('builds.workerid', '=', (select) =>
      select.selectFrom('workers').select('workerid').where('name', '=', worker),
    );
  }
  if (filter.complete !== undefined) {
    query = query.where('builds.complete_at', filter.complete ? 'is not' : 'is', null);
  }
  if (buildsetid !== undefined) query = query.where('buildsets.buildsetid', '=', buildsetid);
  if (revision !== undefined) query = query.where('buildsets.revision', '=', revision);
  return (await query.execute()).map(rowOf);
}

/** Every build without a result, oldest first, with its plan: what a master takes up again when it starts. */
export async function unfinishedBuilds(db: Db): Promise<UnfinishedBuildRow[]> {
  const rows = await buildsQuery(db)
    .select(['builds.plan_json', 'builds.orphan_after'])
    .where('builds.complete_at', 'is', null)
    .orderBy('builds.buildid')
    .execute();
  return rows.map(({ plan_json, orphan_after, ...row }) => ({
    ...rowOf(row),
    plan: JSON.parse(plan_json) as BuildPlan,
    orphan_after,
  }));
}

import { randomBytes } from 'node:crypto';
import type { BuildPlan, Properties } from '../build/plan.ts';
import { resultNumber } from '../build/results.ts';
import type { Result } from '../build/results.ts';
import { allocateNumber } from './builders.ts';
import type { Db, Page, Tx } from './database.ts';

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
}

export interface BuildFilter {
  builder?: string;
  worker?: string;
  complete?: boolean;
  buildsetid?: number;
  /** Builds of sources at this revision. */
  revision?: string;
}

export interface NewBuild {
  builderid: number;
  buildrequestid: number;
  workerid: number;
  /** Number of the try, from 1. */
  attempt: number;
  /** The plan for the number that the build gets. */
  plan: (number: number) => BuildPlan;
  /** Those of the plan, unless told. */
  properties?: Properties;
  now: number;
  /** The lease's token; one is made when it is not given. */
  token?: string;
}

/** A lease's token: number of the try, then 64 random bits. */
export function newToken(attempt: number): string {
  return `${attempt}-${randomBytes(8).toString('hex')}`;
}

/** Begins a build: takes a number and leases it to the worker. Call it in the transaction of `claimRequest`. */
export async function startBuild(
  tx: Tx,
  build: NewBuild,
): Promise<{ buildid: number; number: number; token: string; plan: BuildPlan }> {
  const number = await allocateNumber(tx, build.builderid);
  const token = build.token ?? newToken(build.attempt);
  const plan = build.plan(number);
  const { buildid } = await tx
    .insertInto('builds')
    .values({
      builderid: build.builderid,
      number,
      buildrequestid: build.buildrequestid,
      workerid: build.workerid,
      attempt: build.attempt,
      token,
      plan_json: JSON.stringify(plan),
      started_at: build.now,
      state_string: 'starting',
      properties_json: JSON.stringify(build.properties ?? plan.properties),
    })
    .returning('buildid')
    .executeTakeFirstOrThrow();
  return { buildid, number, token, plan };
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

export async function buildById(db: Db, buildid: number): Promise<BuildRow | undefined> {
  const row = await buildsQuery(db).where('builds.buildid', '=', buildid).executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

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
    .select('builds.plan_json')
    .where('builds.complete_at', 'is', null)
    .orderBy('builds.buildid')
    .execute();
  return rows.map(({ plan_json, ...row }) => ({ ...rowOf(row), plan: JSON.parse(plan_json) as BuildPlan }));
}

/** The plan of a build as it was sent. */
export async function planOf(db: Db, buildid: number): Promise<BuildPlan | undefined> {
  const row = await db
    .selectFrom('builds')
    .select('plan_json')
    .where('buildid', '=', buildid)
    .executeTakeFirst();
  return row === undefined ? undefined : (JSON.parse(row.plan_json) as BuildPlan);
}

/** The worker of these builds is gone since `at`; builds that are lost already keep their time. */
export async function markLost(tx: Tx, buildids: readonly number[], at: number): Promise<void> {
  if (buildids.length === 0) return;
  await tx
    .updateTable('builds')
    .set({ lost_at: at })
    .where('buildid', 'in', [...buildids])
    .where('complete_at', 'is', null)
    .where('lost_at', 'is', null)
    .execute();
}

/** Their worker is back with them. */
export async function markFound(tx: Tx, buildids: readonly number[]): Promise<void> {
  if (buildids.length === 0) return;
  await tx
    .updateTable('builds')
    .set({ lost_at: null })
    .where('buildid', 'in', [...buildids])
    .execute();
}

/**
 * Notes that the progress events up to `sequence` are stored, in the transaction that stores them. False, and nothing changed, when
 * it is not the one after the last stored: an event that came twice, or a hole.
 */
export async function setSequence(tx: Tx, buildid: number, sequence: number): Promise<boolean> {
  const done = await tx
    .updateTable('builds')
    .set({ sequence })
    .where('buildid', '=', buildid)
    .where('sequence', '=', sequence - 1)
    .where('complete_at', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** `setSequence` for several events that one transaction stores: from `stored`, the last one so far, to `sequence`. */
export async function advanceSequence(
  tx: Tx,
  buildid: number,
  stored: number,
  sequence: number,
): Promise<boolean> {
  const done = await tx
    .updateTable('builds')
    .set({ sequence })
    .where('buildid', '=', buildid)
    .where('sequence', '=', stored)
    .where('complete_at', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

export async function setBuildState(tx: Tx, buildid: number, state: string): Promise<void> {
  await tx.updateTable('builds').set({ state_string: state }).where('buildid', '=', buildid).execute();
}

/** Adds properties to a build's; of the same name the new one counts. */
export async function mergeProperties(tx: Tx, buildid: number, properties: Properties): Promise<void> {
  if (Object.keys(properties).length === 0) return;
  const row = await tx
    .selectFrom('builds')
    .select('properties_json')
    .where('buildid', '=', buildid)
    .executeTakeFirst();
  if (row === undefined) return;
  const merged = { ...(JSON.parse(row.properties_json) as Properties), ...properties };
  await tx
    .updateTable('builds')
    .set({ properties_json: JSON.stringify(merged) })
    .where('buildid', '=', buildid)
    .execute();
}

/** Keeps that somebody wants the build stopped; the first reason stays. False when the build is complete. */
export async function requestCancel(tx: Tx, buildid: number, reason: string): Promise<boolean> {
  const row = await tx
    .updateTable('builds')
    .set((update) => ({ cancel_reason: update.fn.coalesce('cancel_reason', update.val(reason)) }))
    .where('buildid', '=', buildid)
    .where('complete_at', 'is', null)
    .executeTakeFirst();
  return row.numUpdatedRows > 0n;
}

/** Ends a build. False when it was complete before, which changes nothing. Its request is the caller's to finish or to give back. */
export async function finishBuild(
  tx: Tx,
  buildid: number,
  end: { result: Result; state: string; at: number },
): Promise<boolean> {
  const done = await tx
    .updateTable('builds')
    .set({ complete_at: end.at, results: resultNumber(end.result), state_string: end.state, lost_at: null })
    .where('buildid', '=', buildid)
    .where('complete_at', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

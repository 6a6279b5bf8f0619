import type { Properties } from '../build/plan.ts';
import { resultNumber } from '../build/results.ts';
import type { Result } from '../build/results.ts';
import { completeBuildset } from './buildsets.ts';
import type { Db, Page, Tx } from './database.ts';
import { prepared, preparedForEach } from './prepared.ts';

export interface RequestRow {
  buildrequestid: number;
  buildsetid: number;
  builderid: number;
  builder: string;
  priority: number;
  submitted_at: number;
  claimed_at: number | null;
  attempts: number;
  complete_at: number | null;
  results: number | null;
  cancel_reason: string | null;
  /** Of its buildset. */
  reason: string;
  scheduler: string | null;
  repository: string | null;
  branch: string | null;
  revision: string | null;
  properties: Properties;
}

/** A request with its builds, oldest first. */
export interface RequestListRow extends RequestRow {
  builds: { buildid: number; number: number; results: number | null }[];
}

export interface RequestFilter {
  builder?: string;
  complete?: boolean;
  buildsetid?: number;
  revision?: string;
}

function requestsQuery(db: Db) {
  return db
    .selectFrom('buildrequests')
    .innerJoin('buildsets', 'buildsets.buildsetid', 'buildrequests.buildsetid')
    .innerJoin('builders', 'builders.builderid', 'buildrequests.builderid')
    .select([
      'buildrequests.buildrequestid',
      'buildrequests.buildsetid',
      'buildrequests.builderid',
      'builders.name as builder',
      'buildrequests.priority',
      'buildrequests.submitted_at',
      'buildrequests.claimed_at',
      'buildrequests.attempts',
      'buildrequests.complete_at',
      'buildrequests.results',
      'buildrequests.cancel_reason',
      'buildsets.reason',
      'buildsets.scheduler',
      'buildsets.repository',
      'buildsets.branch',
      'buildsets.revision',
      'buildsets.properties_json',
    ]);
}

function rowOf({
  properties_json,
  ...row
}: Omit<RequestRow, 'properties'> & { properties_json: string }): RequestRow {
  return { ...row, properties: JSON.parse(properties_json) as Properties };
}

/** What waits for a worker: highest priority first, then oldest. Requests of builders out of the configuration are left out. */
export async function pendingRequests(db: Db, limit: number): Promise<RequestRow[]> {
  const rows = await requestsQuery(db)
    .where('buildrequests.complete_at', 'is', null)
    .where('buildrequests.claimed_at', 'is', null)
    .where('builders.active', '=', 1)
    .orderBy('buildrequests.priority', 'desc')
    .orderBy('buildrequests.submitted_at')
    .orderBy('buildrequests.buildrequestid')
    .limit(limit)
    .execute();
  return rows.map(rowOf);
}

/** `pendingRequests` with their builds, of builders out of the configuration too. */
export async function pendingRows(db: Db, limit: number): Promise<RequestListRow[]> {
  const rows = await requestsQuery(db)
    .where('buildrequests.complete_at', 'is', null)
    .where('buildrequests.claimed_at', 'is', null)
    .orderBy('buildrequests.priority', 'desc')
    .orderBy('buildrequests.submitted_at')
    .orderBy('buildrequests.buildrequestid')
    .limit(limit)
    .execute();
  return withBuilds(db, rows.map(rowOf));
}

/** Requests, newest first, with their builds: two queries however long the list. */
export async function requestRows(db: Db, filter: RequestFilter, page: Page): Promise<RequestListRow[]> {
  let query = requestsQuery(db)
    .orderBy('buildrequests.buildrequestid', 'desc')
    .limit(page.limit)
    .offset(page.offset ?? 0);
  const { builder, buildsetid, revision } = filter;
  if (builder !== undefined) {
    query = query.where('buildrequests.builderid', '=', (select) =>
      select.selectFrom('builders').select('builderid').where('name', '=', builder),
    );
  }
  if (filter.complete !== undefined) {
    query = query.where('buildrequests.complete_at', filter.complete ? 'is not' : 'is', null);
  }
  if (buildsetid !== undefined) query = query.where('buildrequests.buildsetid', '=', buildsetid);
  if (revision !== undefined) query = query.where('buildsets.revision', '=', revision);
  return withBuilds(db, (await query.execute()).map(rowOf));
}

/** The requests that answer a change, oldest first. */
export async function requestsOfChange(db: Db, changeid: number): Promise<RequestRow[]> {
  const rows = await requestsQuery(db)
    .innerJoin('buildset_changes', 'buildset_changes.buildsetid', 'buildsets.buildsetid')
    .where('buildset_changes.changeid', '=', changeid)
    .orderBy('buildrequests.buildrequestid')
    .execute();
  return rows.map(rowOf);
}

const byIds = preparedForEach((db, requests: readonly { id: number }[]) =>
  requestsQuery(db).where(
    'buildrequests.buildrequestid',
    'in',
    requests.map(({ id }) => id),
  ),
);

/** These requests, in no order; ids that no request has are left out. */
export async function requestsByIds(db: Db, ids: readonly number[]): Promise<RequestRow[]> {
  const rows = await byIds(
    db,
    ids.map((id) => ({ id })),
  );
  return rows.map(rowOf);
}

/** A request with its builds. */
export async function requestById(db: Db, buildrequestid: number): Promise<RequestListRow | undefined> {
  const row = await requestsQuery(db)
    .where('buildrequests.buildrequestid', '=', buildrequestid)
    .executeTakeFirst();
  return row === undefined ? undefined : (await withBuilds(db, [rowOf(row)]))[0];
}

async function withBuilds(db: Db, requests: RequestRow[]): Promise<RequestListRow[]> {
  if (requests.length === 0) return [];
  const ids = requests.map((request) => request.buildrequestid);
  const builds = await db
    .selectFrom('builds')
    .select(['buildid', 'number', 'results', 'buildrequestid'])
    .where('buildrequestid', 'in', ids)
    .orderBy('buildid')
    .execute();
  const byRequest = Map.groupBy(builds, (build) => build.buildrequestid);
  return requests.map((request) => ({
    ...request,
    builds: (byRequest.get(request.buildrequestid) ?? []).map(({ buildid, number, results }) => ({
      buildid,
      number,
      results,
    })),
  }));
}

const claim = prepared((db, v: { id: number; now: number }) =>
  db
    .updateTable('buildrequests')
    .set({ claimed_at: v.now })
    .where('buildrequestid', '=', v.id)
    .where('claimed_at', 'is', null)
    .where('complete_at', 'is', null),
);

/** Takes a request for a build. False when somebody else has it, or it is complete: then nothing is to be done. */
export async function claimRequest(tx: Tx, buildrequestid: number, now: number): Promise<boolean> {
  return (await claim.changed(tx, { id: buildrequestid, now })) > 0;
}

/**
 * Gives a claimed request back for another try, which counts as a try, unless `count` is false (the worker never began). Gives the
 * tries so far, undefined when it was not claimed.
 */
export async function unclaimRequest(
  tx: Tx,
  buildrequestid: number,
  options: { count?: boolean } = {},
): Promise<number | undefined> {
  const row = await tx
    .updateTable('buildrequests')
    .set((update) => ({
      claimed_at: null,
      attempts: update('attempts', '+', options.count === false ? 0 : 1),
    }))
    .where('buildrequestid', '=', buildrequestid)
    .where('claimed_at', 'is not', null)
    .where('complete_at', 'is', null)
    .returning('attempts')
    .executeTakeFirst();
  return row?.attempts;
}

/** What finishing a request did: the result of its buildset, when this was the last one open. */
export interface FinishedRequest {
  buildsetid: number;
  buildset: Result | undefined;
}

const finish = prepared((db, v: { id: number; now: number; results: number }) =>
  db
    .updateTable('buildrequests')
    .set({ complete_at: v.now, results: v.results })
    .where('buildrequestid', '=', v.id)
    .where('complete_at', 'is', null)
    .returning('buildsetid'),
);

/** Ends a request with a result, and its buildset with it when it was the last. Undefined when it was complete before. */
export async function finishRequest(
  tx: Tx,
  buildrequestid: number,
  result: Result,
  now: number,
): Promise<FinishedRequest | undefined> {
  const row = await finish.first(tx, { id: buildrequestid, now, results: resultNumber(result) });
  if (row === undefined) return undefined;
  return { buildsetid: row.buildsetid, buildset: await completeBuildset(tx, row.buildsetid, now) };
}

/** Ends a request that no build was begun for. Undefined when one runs (cancel that) or it is complete. */
export async function cancelRequest(
  tx: Tx,
  buildrequestid: number,
  end: { reason: string; at: number },
): Promise<FinishedRequest | undefined> {
  if (!(await claimRequest(tx, buildrequestid, end.at))) return undefined;
  await tx
    .updateTable('buildrequests')
    .set({ cancel_reason: end.reason })
    .where('buildrequestid', '=', buildrequestid)
    .execute();
  return finishRequest(tx, buildrequestid, 'cancelled', end.at);
}

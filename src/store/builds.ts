import { randomBytes } from 'node:crypto';
import type { BuildPlan, Properties } from '../build/plan.ts';
import { resultNumber, type Result } from '../build/results.ts';
import { allocateNumber } from './builders.ts';
import type { Db, Tx } from './database.ts';
import { prepared } from './prepared.ts';

export interface NewBuild {
  builderid: number;
  buildrequestid: number;
  workerid: number;
  /** Number of the try, from 1. */
  attempt: number;
  /** The plan for the number that the build gets. */
  plan: (number: number) => BuildPlan;
  /** What the worker is told: seconds that it goes on without the master; null: as long as it takes. */
  orphanAfter: number | null;
  /** Those of the plan, unless told. */
  properties?: Properties;
  now: number;
  /** The lease's token; one is made when it is not given. */
  token?: string;
}

/** A lease's token: number of the try, then 64 random bits. */
function newToken(attempt: number): string {
  return `${attempt}-${randomBytes(8).toString('hex')}`;
}

interface NewRow {
  builderid: number;
  number: number;
  buildrequestid: number;
  workerid: number;
  attempt: number;
  token: string;
  orphan_after: number | null;
  plan_json: string;
  started_at: number;
  properties_json: string;
}

const add = prepared((db, v: NewRow) =>
  db
    .insertInto('builds')
    .values({
      ...{ builderid: v.builderid, number: v.number, buildrequestid: v.buildrequestid },
      ...{ workerid: v.workerid, attempt: v.attempt, token: v.token, orphan_after: v.orphan_after },
      ...{ plan_json: v.plan_json, started_at: v.started_at, properties_json: v.properties_json },
      state_string: 'starting',
    })
    .returning('buildid'),
);

/** Begins a build: takes a number and leases it to the worker. Call it in the transaction of `claimRequest`. */
export async function startBuild(
  tx: Tx,
  build: NewBuild,
): Promise<{ buildid: number; number: number; token: string; plan: BuildPlan }> {
  const number = await allocateNumber(tx, build.builderid);
  const token = build.token ?? newToken(build.attempt);
  const plan = build.plan(number);
  const row = await add.first(tx, {
    builderid: build.builderid,
    number,
    buildrequestid: build.buildrequestid,
    workerid: build.workerid,
    attempt: build.attempt,
    token,
    orphan_after: build.orphanAfter,
    plan_json: JSON.stringify(plan),
    started_at: build.now,
    properties_json: JSON.stringify(build.properties ?? plan.properties),
  });
  return { buildid: row!.buildid, number, token, plan };
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

/** How a build ended; `at` in epoch seconds. */
export interface BuildEnd {
  result: Result;
  state: string;
  at: number;
}

/** What a build's progress brings to its row. */
export interface BuildNews {
  state?: string;
  /** All that it has now. */
  properties?: Properties;
  end?: BuildEnd;
}

interface Advance {
  buildid: number;
  stored: number;
  sequence: number;
  /** Null: as it is. */
  state: string | null;
  properties: string | null;
}

const advanceTo = (db: Db, v: Advance) =>
  db
    .updateTable('builds')
    .set((set) => ({
      sequence: v.sequence,
      state_string: set.fn.coalesce(set.val(v.state), 'state_string'),
      properties_json: set.fn.coalesce(set.val(v.properties), 'properties_json'),
    }))
    .where('buildid', '=', v.buildid)
    .where('sequence', '=', v.stored)
    .where('complete_at', 'is', null);

const advance = prepared(advanceTo);

const advanceToEnd = prepared((db, v: Advance & { at: number; results: number }) =>
  advanceTo(db, v).set({ complete_at: v.at, results: v.results, lost_at: null }),
);

/**
 * Notes that the progress events up to `sequence` are stored, in the transaction that stores them, and what they bring; `stored` is the last one before
 * them. False, and nothing changed, when another is the last one stored: an event that came twice, or a hole.
 */
export async function advanceSequence(
  tx: Tx,
  buildid: number,
  stored: number,
  sequence: number,
  { state, properties, end }: BuildNews = {},
): Promise<boolean> {
  const text = properties === undefined ? null : textOf(properties);
  const to = { buildid, stored, sequence, state: end?.state ?? state ?? null, properties: text };
  const changed =
    end === undefined
      ? await advance.changed(tx, to)
      : await advanceToEnd.changed(tx, { ...to, at: end.at, results: resultNumber(end.result) });
  return changed > 0;
}

/** Every step reads and writes them all; without an end they would hold everybody up. */
const PROPERTIES_CHARS = 1_000_000;

function textOf(properties: Properties): string {
  const text = JSON.stringify(properties);
  if (text.length > PROPERTIES_CHARS)
    throw new Error(`its properties have more than ${PROPERTIES_CHARS} characters`);
  return text;
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
export async function finishBuild(tx: Tx, buildid: number, end: BuildEnd): Promise<boolean> {
  const done = await tx
    .updateTable('builds')
    .set({ complete_at: end.at, results: resultNumber(end.result), state_string: end.state, lost_at: null })
    .where('buildid', '=', buildid)
    .where('complete_at', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

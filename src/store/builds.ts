import { randomBytes } from 'node:crypto';
import type { BuildPlan, Properties } from '../build/plan.ts';
import { resultNumber, type Result } from '../build/results.ts';
import { allocateNumber } from './builders.ts';
import type { Tx } from './database.ts';

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
      orphan_after: build.orphanAfter,
      plan_json: JSON.stringify(plan),
      started_at: build.now,
      state_string: 'starting',
      properties_json: JSON.stringify(build.properties ?? plan.properties),
    })
    .returning('buildid')
    .executeTakeFirstOrThrow();
  return { buildid, number, token, plan };
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
 * Notes that the progress events up to `sequence` are stored, in the transaction that stores them; `stored` is the last one before them.
 * False, and nothing changed, when another is the last one stored: an event that came twice, or a hole.
 */
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

/** Its worker walks it now; `properties`: all that it has. */
export async function beginBuild(tx: Tx, buildid: number, properties: Properties): Promise<void> {
  await tx
    .updateTable('builds')
    .set({ state_string: 'running', properties_json: textOf(properties) })
    .where('buildid', '=', buildid)
    .execute();
}

/** Every step reads and writes them all; without an end they would hold everybody up. */
const PROPERTIES_CHARS = 1_000_000;

/** Adds properties to a build's; of the same name the new one counts. */
export async function mergeProperties(tx: Tx, buildid: number, properties: Properties): Promise<void> {
  if (Object.keys(properties).length === 0) return;
  const row = await tx
    .selectFrom('builds')
    .select('properties_json')
    .where('buildid', '=', buildid)
    .executeTakeFirst();
  if (row === undefined) return;
  const text = textOf({ ...(JSON.parse(row.properties_json) as Properties), ...properties });
  await tx.updateTable('builds').set({ properties_json: text }).where('buildid', '=', buildid).execute();
}

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

import type { Properties } from '../build/plan.ts';
import { resultNumber, resultOf, worst } from '../build/results.ts';
import type { Result } from '../build/results.ts';
import type { Tx } from './database.ts';
import { prepared } from './prepared.ts';

export interface NewBuildset {
  reason: string;
  scheduler: string | null;
  /** What to build. */
  repository: string | null;
  branch: string | null;
  revision: string | null;
  properties: Properties;
  /** The changes it answers. */
  changeids: readonly number[];
  /** One request is made for each. */
  builderids: readonly number[];
  priority: number;
  now: number;
}

/** Submits a buildset with a request for each builder. */
export async function submitBuildset(
  tx: Tx,
  set: NewBuildset,
): Promise<{ buildsetid: number; requests: { buildrequestid: number; builderid: number }[] }> {
  const { reason, scheduler, repository, branch, revision, priority, now } = set;
  const { buildsetid } = await tx
    .insertInto('buildsets')
    .values({
      reason,
      scheduler,
      repository,
      branch,
      revision,
      properties_json: JSON.stringify(set.properties),
      submitted_at: now,
    })
    .returning('buildsetid')
    .executeTakeFirstOrThrow();
  for (const changeid of set.changeids) {
    await tx.insertInto('buildset_changes').values({ buildsetid, changeid }).execute();
  }
  const requests: { buildrequestid: number; builderid: number }[] = [];
  for (const builderid of set.builderids) {
    const { buildrequestid } = await tx
      .insertInto('buildrequests')
      .values({ buildsetid, builderid, priority, submitted_at: now })
      .returning('buildrequestid')
      .executeTakeFirstOrThrow();
    requests.push({ buildrequestid, builderid });
  }
  return { buildsetid, requests };
}

const requestsOf = prepared((db, v: { id: number }) =>
  db.selectFrom('buildrequests').select(['complete_at', 'results']).where('buildsetid', '=', v.id),
);

const complete = prepared((db, v: { id: number; now: number; results: number }) =>
  db
    .updateTable('buildsets')
    .set({ complete_at: v.now, results: v.results })
    .where('buildsetid', '=', v.id)
    .where('complete_at', 'is', null),
);

/**
 * Completes a buildset whose requests all are, with the worst of their results. Gives that, or undefined while a request is open or
 * when it was complete before.
 */
export async function completeBuildset(tx: Tx, buildsetid: number, now: number): Promise<Result | undefined> {
  const requests = await requestsOf.rows(tx, { id: buildsetid });
  if (requests.some((request) => request.complete_at === null)) return undefined;
  const results = requests
    .map((request) => resultOf(request.results) ?? 'exception')
    .reduce<Result>(worst, 'skipped');
  const done = await complete.changed(tx, { id: buildsetid, now, results: resultNumber(results) });
  return done > 0 ? results : undefined;
}

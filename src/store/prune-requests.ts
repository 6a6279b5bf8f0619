import type { ExpressionBuilder } from 'kysely';
import type { Tx } from './database.ts';
import type { Tables } from './tables.ts';

/** Sets of requests that have no build, be it that there never was one or that its builds were removed. */
export const withoutBuilds = ({ not, exists, selectFrom }: ExpressionBuilder<Tables, 'buildsets'>) =>
  not(
    exists(
      selectFrom('builds')
        .innerJoin('buildrequests', 'buildrequests.buildrequestid', 'builds.buildrequestid')
        .select('builds.buildid')
        .whereRef('buildrequests.buildsetid', '=', 'buildsets.buildsetid'),
    ),
  );

/** Removes up to `limit` sets of requests that were over before a time and of which nothing was ever built (cancelled, superseded); how many. */
export async function pruneUnbuilt(tx: Tx, before: number, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('buildsets')
    .select('buildsetid')
    .where('complete_at', '<', before)
    .where(withoutBuilds)
    .orderBy('buildsetid')
    .limit(limit)
    .execute();
  if (rows.length === 0) return 0;
  const ids = rows.map(({ buildsetid }) => buildsetid);
  await tx.deleteFrom('buildsets').where('buildsetid', 'in', ids).execute();
  return ids.length;
}

/**
 * Removes up to `limit` changes that came before a time, and that no request and no scheduler has any more; how many. The newest of each
 * repository stays: `why` is asked for it.
 */
export async function pruneChanges(tx: Tx, before: number, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('changes')
    .select('changeid')
    .where('received_at', '<', before)
    .where('changeid', 'not in', (select) =>
      select
        .selectFrom('changes')
        .select(({ fn }) => fn.max('changeid').as('changeid'))
        .groupBy('repository'),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('buildset_changes')
            .select('buildset_changes.changeid')
            .whereRef('buildset_changes.changeid', '=', 'changes.changeid'),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('scheduler_changes')
            .select('scheduler_changes.changeid')
            .whereRef('scheduler_changes.changeid', '=', 'changes.changeid'),
        ),
      ),
    )
    .orderBy('changeid')
    .limit(limit)
    .execute();
  if (rows.length === 0) return 0;
  const ids = rows.map(({ changeid }) => changeid);
  await tx.deleteFrom('changes').where('changeid', 'in', ids).execute();
  return ids.length;
}

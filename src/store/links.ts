import type { Selectable } from 'kysely';
import type { Db, Tx } from './database.ts';
import type { Tables } from './tables.ts';

/** One session of a worker as the master saw it. Times are epoch seconds of the master. */
export type LinkSessionRow = Selectable<Tables['link_sessions']>;

/** What a worker wrote down itself, at the master's time. */
export interface LinkFactRow {
  boot: string;
  number: number;
  /** By the master's clock, as far as it could be worked out. */
  at: number;
  /** By the worker's own. */
  said_at: number;
  /** As it was checked when it came. */
  fact: Record<string, unknown> & { kind: string };
}

/** Rows of one worker that are kept: weeks of a good link, hours of one that comes and goes every few seconds. */
export const SESSIONS_KEPT = 500;
export const FACTS_KEPT = 2_000;
/** Rows per statement: below SQLite's limit of variables. */
const ROWS = 500;

export type NewLinkSession = Pick<
  LinkSessionRow,
  'workerid' | 'session' | 'life' | 'boot' | 'peer' | 'opened_at' | 'away_ms' | 'ahead'
>;

/** Notes that a session has begun. Gives the row's id. */
export async function openLinkSession(tx: Tx, row: NewLinkSession): Promise<number> {
  const { linkid } = await tx
    .insertInto('link_sessions')
    .values({ ...row, seen_at: row.opened_at })
    .returning('linkid')
    .executeTakeFirstOrThrow();
  return linkid;
}

/** Notes how a session does, or how it ended. */
export async function updateLinkSession(
  tx: Tx,
  linkid: number,
  values: Partial<
    Pick<
      LinkSessionRow,
      | 'seen_at'
      | 'closed_at'
      | 'silent_ms'
      | 'code'
      | 'reason'
      | 'closed_by'
      | 'rtt_ms'
      | 'rtt_max_ms'
      | 'pings'
      | 'missed'
      | 'received'
      | 'sent'
    >
  >,
): Promise<void> {
  await tx.updateTable('link_sessions').set(values).where('linkid', '=', linkid).execute();
}

/** Notes that all open sessions of this life are still there. */
export async function touchLinkSessions(tx: Tx, life: string, at: number): Promise<void> {
  await tx
    .updateTable('link_sessions')
    .set({ seen_at: at })
    .where('closed_at', 'is', null)
    .where('life', '=', life)
    .execute();
}

/** Ends the sessions that a former life of the master has left open, at the time when it last wrote about them. */
export async function closeFormerLinks(tx: Tx, life: string, reason: string): Promise<void> {
  await tx
    .updateTable('link_sessions')
    .set((eb) => ({ closed_at: eb.ref('seen_at'), closed_by: 'master', reason }))
    .where('closed_at', 'is', null)
    .where('life', '<>', life)
    .execute();
}

/** Keeps records of workers; one that is here already changes nothing. */
export async function addLinkFacts(tx: Tx, workerid: number, rows: readonly LinkFactRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS) {
    const values = rows
      .slice(from, from + ROWS)
      .map(({ fact, ...row }) => ({ workerid, ...row, fact_json: JSON.stringify(fact) }));
    await tx
      .insertInto('link_facts')
      .values(values)
      .onConflict((conflict) => conflict.columns(['workerid', 'boot', 'number']).doNothing())
      .execute();
  }
}

/** Sessions of a worker that touch a span of time or begin after it, oldest first; and the one before the span. */
export async function linkSessions(
  db: Db,
  workerid: number,
  span: { from: number; limit: number },
): Promise<LinkSessionRow[]> {
  return db
    .selectFrom('link_sessions')
    .selectAll()
    .where('workerid', '=', workerid)
    .where((eb) => eb.or([eb('closed_at', 'is', null), eb('closed_at', '>=', span.from)]))
    .orderBy('linkid')
    .limit(span.limit)
    .execute();
}

/** The newest sessions of a worker, oldest first. */
export async function newestLinkSessions(db: Db, workerid: number, limit: number): Promise<LinkSessionRow[]> {
  const rows = await db
    .selectFrom('link_sessions')
    .selectAll()
    .where('workerid', '=', workerid)
    .orderBy('linkid', 'desc')
    .limit(limit)
    .execute();
  return rows.toReversed();
}

/** A worker's records of a span of time, oldest first. */
export async function linkFacts(
  db: Db,
  workerid: number,
  span: { from: number; to: number; limit: number },
): Promise<LinkFactRow[]> {
  const rows = await db
    .selectFrom('link_facts')
    .select(['boot', 'number', 'at', 'said_at', 'fact_json'])
    .where('workerid', '=', workerid)
    .where('at', '>=', span.from)
    .where('at', '<=', span.to)
    .orderBy('at')
    .orderBy('number')
    .limit(span.limit)
    .execute();
  return rows.map(({ fact_json, ...row }) => ({
    ...row,
    fact: JSON.parse(fact_json) as LinkFactRow['fact'],
  }));
}

/** Removes what is older than a time, up to `limit` rows of each kind; how many went. */
export async function pruneLinks(tx: Tx, before: number, limit: number): Promise<number> {
  const facts = await tx
    .deleteFrom('link_facts')
    .where('factid', 'in', (select) =>
      select.selectFrom('link_facts').select('factid').where('at', '<', before).orderBy('at').limit(limit),
    )
    .executeTakeFirst();
  const sessions = await tx
    .deleteFrom('link_sessions')
    .where('linkid', 'in', (select) =>
      select
        .selectFrom('link_sessions')
        .select('linkid')
        .where('opened_at', '<', before)
        .where('closed_at', 'is not', null)
        .orderBy('opened_at')
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(facts.numDeletedRows + sessions.numDeletedRows);
}

/** Keeps the newest rows of a worker: one that comes and goes all day fills no disk. */
export async function trimLinks(tx: Tx, workerid: number): Promise<void> {
  await tx
    .deleteFrom('link_sessions')
    .where('workerid', '=', workerid)
    .where('linkid', '<=', (select) =>
      select
        .selectFrom('link_sessions')
        .select('linkid')
        .where('workerid', '=', workerid)
        .orderBy('linkid', 'desc')
        .limit(1)
        .offset(SESSIONS_KEPT),
    )
    .execute();
  await tx
    .deleteFrom('link_facts')
    .where('workerid', '=', workerid)
    .where('factid', '<=', (select) =>
      select
        .selectFrom('link_facts')
        .select('factid')
        .where('workerid', '=', workerid)
        .orderBy('factid', 'desc')
        .limit(1)
        .offset(FACTS_KEPT),
    )
    .execute();
}

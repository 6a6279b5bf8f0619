import type { Db, Tx } from './database.ts';

export interface EventRow {
  eventid: number;
  at: number;
  type: string;
  payload: Record<string, unknown>;
}

/** Appends to the farm's history, in the transaction of the rows that it tells of. Gives its position. */
export async function appendEvent(
  tx: Tx,
  event: { at: number; type: string; payload: Readonly<Record<string, unknown>> },
): Promise<number> {
  const { eventid } = await tx
    .insertInto('events')
    .values({ at: event.at, type: event.type, payload_json: JSON.stringify(event.payload) })
    .returning('eventid')
    .executeTakeFirstOrThrow();
  return eventid;
}

/** Up to `limit` events after a position, oldest first. */
export async function eventsAfter(db: Db, after: number, limit: number): Promise<EventRow[]> {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('eventid', '>', after)
    .orderBy('eventid')
    .limit(limit)
    .execute();
  return rows.map(({ eventid, at, type, payload_json }) => ({
    eventid,
    at,
    type,
    payload: JSON.parse(payload_json) as Record<string, unknown>,
  }));
}

/** Position of the newest event; 0 when there is none. */
export async function lastEventId(db: Db): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((select) => select.fn.max('eventid').as('last'))
    .executeTakeFirst();
  return Number(row?.last ?? 0);
}

/** Removes up to `limit` events from before a time; how many went. */
export async function pruneEvents(tx: Tx, before: number, limit: number): Promise<number> {
  const done = await tx
    .deleteFrom('events')
    .where('eventid', 'in', (select) =>
      select.selectFrom('events').select('eventid').where('at', '<', before).orderBy('at').limit(limit),
    )
    .executeTakeFirst();
  return Number(done.numDeletedRows);
}

import type { Db, Tx } from './database.ts';

export interface EventRow {
  eventid: number;
  at: number;
  type: string;
  payload: Record<string, unknown>;
}

export interface NewEvent {
  at: number;
  type: string;
  payload: Readonly<Record<string, unknown>>;
}

/** Appends to the farm's history, in the transaction of the rows that it tells of. Gives its position. */
export async function appendEvent(tx: Tx, event: NewEvent): Promise<number> {
  const [eventid] = await appendEvents(tx, [event]);
  return eventid!;
}

/** Rows of one statement; each number of them is a statement that is prepared once. */
const AT_ONCE = 8;

/** Appends several in their order. Gives their positions. */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<number[]> {
  const ids: number[] = [];
  for (let from = 0; from < events.length; from += AT_ONCE) {
    const rows = await tx
      .insertInto('events')
      .values(
        events
          .slice(from, from + AT_ONCE)
          .map(({ at, type, payload }) => ({ at, type, payload_json: JSON.stringify(payload) })),
      )
      .returning('eventid')
      .execute();
    // Numbered in the order of the values; given back in whatever order.
    ids.push(...rows.map(({ eventid }) => eventid).sort((a, b) => a - b));
  }
  return ids;
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

import type { Db, Tx } from './database.ts';
import { prepared, preparedForEach } from './prepared.ts';

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

const append = preparedForEach((db, rows: readonly { at: number; type: string; payload_json: string }[]) =>
  db
    .insertInto('events')
    .values(rows.map(({ at, type, payload_json }) => ({ at, type, payload_json })))
    .returning('eventid'),
);

/** Appends several in their order. Gives their positions. */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<number[]> {
  const rows = events.map(({ at, type, payload }) => ({ at, type, payload_json: JSON.stringify(payload) }));
  // Numbered in the order of the values; given back in whatever order.
  return (await append(tx, rows)).map(({ eventid }) => eventid).sort((a, b) => a - b);
}

const after = prepared((db, v: { position: number; limit: number }) =>
  db.selectFrom('events').selectAll().where('eventid', '>', v.position).orderBy('eventid').limit(v.limit),
);

/** Up to `limit` events after a position, oldest first. */
export async function eventsAfter(db: Db, position: number, limit: number): Promise<EventRow[]> {
  const rows = await after.rows(db, { position, limit });
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

import { sql } from 'kysely';
import type { Db } from './database.ts';
import type { Store } from './store.ts';
import type { Tables } from './tables.ts';

/**
 * A table as a backup takes it: `key` names a row and gives the order; `id`: the key is a number that is never used again; `since`: the first
 * schema that has it, where that is not the first of all.
 */
interface Dumped {
  name: keyof Tables;
  key: readonly string[];
  id?: true;
  since?: number;
}

/** Every table, those first that others refer to: in this order rows can be put back. */
export const DUMPED: readonly Dumped[] = [
  { name: 'meta', key: ['key'] },
  { name: 'builders', key: ['builderid'], id: true },
  { name: 'workers', key: ['workerid'], id: true },
  { name: 'link_sessions', key: ['linkid'], id: true, since: 4 },
  { name: 'link_facts', key: ['factid'], id: true, since: 4 },
  { name: 'joins', key: ['joinid'], id: true },
  { name: 'join_uses', key: ['joinid', 'worker_name'] },
  { name: 'changes', key: ['changeid'], id: true },
  { name: 'poll_state', key: ['repository', 'branch'] },
  { name: 'polls', key: ['repository'] },
  { name: 'scheduler_state', key: ['scheduler'] },
  { name: 'scheduler_changes', key: ['scheduler', 'changeid'] },
  { name: 'buildsets', key: ['buildsetid'], id: true },
  { name: 'buildset_changes', key: ['buildsetid', 'changeid'] },
  { name: 'buildrequests', key: ['buildrequestid'], id: true },
  { name: 'builds', key: ['buildid'], id: true },
  { name: 'steps', key: ['stepid'], id: true },
  { name: 'logs', key: ['logid'], id: true },
  { name: 'events', key: ['eventid'], id: true },
];

/** The tables that a store of this schema has. */
export function dumpedOf({ schema }: Pick<Store, 'schema'>): readonly Dumped[] {
  return DUMPED.filter(({ since = 1 }) => since <= schema);
}

/** Rows of one query. */
const ROWS = 200;
/** A piece is given away when it has so many bytes; one row more may be in it. */
const PIECE_BYTES = 1024 * 1024;

/** Some rows of one table, JSON Lines. */
export interface RowPiece {
  table: keyof Tables;
  rows: number;
  bytes: Buffer;
}

/** Every row of a table in the order of its key, read in bounded portions. */
export async function* dumpTable(
  db: Db,
  { name, key }: Pick<Dumped, 'name' | 'key'>,
  onRow?: (row: Record<string, unknown>) => void,
): AsyncGenerator<RowPiece, void, undefined> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  let last: Record<string, unknown> | undefined;
  let lines: string[] = [];
  let bytes = 0;
  const take = (): RowPiece => {
    const piece = { table: name, rows: lines.length, bytes: Buffer.from(lines.join('')) };
    lines = [];
    bytes = 0;
    return piece;
  };
  for (;;) {
    const after: Record<string, unknown> | undefined = last;
    const where =
      after === undefined
        ? sql``
        : sql`where (${columns}) > (${sql.join(key.map((column) => sql.val(after[column])))})`;
    const query = sql<
      Record<string, unknown>
    >`select * from ${sql.table(name)} ${where} order by ${columns} limit ${sql.lit(ROWS)}`;
    const { rows } = await query.execute(db);
    for (const row of rows) {
      onRow?.(row);
      const line = `${JSON.stringify(row)}\n`;
      lines.push(line);
      bytes += line.length;
      if (bytes >= PIECE_BYTES) yield take();
    }
    last = rows.at(-1);
    if (rows.length < ROWS) break;
  }
  if (lines.length > 0) yield take();
}

/** The highest number that each table ever gave to a row. */
export async function lastIds(store: Store, db: Db): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  if (store.dialect === 'sqlite') {
    const { rows } = await sql<{ name: string; seq: number }>`select name, seq from sqlite_sequence`.execute(
      db,
    );
    for (const { name, seq } of rows) found[name] = Number(seq);
    return found;
  }
  for (const { name, key, id } of dumpedOf(store)) {
    if (id === undefined) continue;
    const sequence = await sequenceOf(db, name, key[0]!);
    const { rows } = await sql<{
      last: unknown;
    }>`select case when is_called then last_value else 0 end as last from ${sql.raw(sequence)}`.execute(db);
    found[name] = Number(rows[0]?.last ?? 0);
  }
  return found;
}

/** Sets what `lastIds` gave, so that no number is used again that was used before. */
export async function setLastIds(
  store: Store,
  db: Db,
  last: Readonly<Record<string, number>>,
): Promise<void> {
  for (const { name, key, id } of DUMPED) {
    const number = last[name] ?? 0;
    if (id === undefined || number === 0) continue;
    if (store.dialect === 'sqlite') {
      await sql`delete from sqlite_sequence where name = ${name}`.execute(db);
      await sql`insert into sqlite_sequence (name, seq) values (${name}, ${number})`.execute(db);
    } else {
      await sql`select setval(${await sequenceOf(db, name, key[0]!)}::regclass, ${number})`.execute(db);
    }
  }
}

async function sequenceOf(db: Db, table: string, column: string): Promise<string> {
  const { rows } = await sql<{
    name: string;
  }>`select pg_get_serial_sequence(${table}, ${column}) as name`.execute(db);
  return rows[0]!.name;
}

/** Puts rows of a dump into their table. */
export async function loadRows(
  db: Db,
  table: keyof Tables,
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS) {
    const values = rows.slice(from, from + ROWS);
    const columns = Object.keys(values[0]!);
    const tuples = values.map(
      (row) => sql`(${sql.join(columns.map((column) => sql.val(row[column] ?? null)))})`,
    );
    await sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
      values ${sql.join(tuples)}`.execute(db);
  }
}

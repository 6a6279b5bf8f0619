import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Dialect } from '../database.ts';
import { columnTypes } from './types.ts';

/** How a complete log was compared with what its worker said of it, and its lines. Logs of an older bbx have null: nobody knows any more. */
export async function up(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { integer, text } = columnTypes(dialect);
  await db.schema.alterTable('logs').addColumn('lines', integer).execute();
  await db.schema.alterTable('logs').addColumn('receipt', text).execute();
  // What a start looks for: logs that a former master left open.
  await sql`create index logs_open on logs (logid) where complete = 0 and pruned = 0`.execute(db);
}

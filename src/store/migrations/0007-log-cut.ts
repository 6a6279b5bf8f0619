import type { Kysely } from 'kysely';
import type { Dialect } from '../database.ts';
import { columnTypes } from './types.ts';

/** How many bytes of a command's output its log's limit has left out. Nothing was left out by an older bbx. */
export async function up(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await db.schema
    .alterTable('logs')
    .addColumn('cut', columnTypes(dialect).integer, (column) => column.notNull().defaultTo(0))
    .execute();
}

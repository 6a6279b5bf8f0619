import type { Kysely } from 'kysely';
import type { Dialect } from '../database.ts';
import { columnTypes } from './types.ts';

/** The bytes of small logs, which have no file. Logs of an older bbx have null, and their files. */
export async function up(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await db.schema.alterTable('logs').addColumn('content', columnTypes(dialect).text).execute();
}

import type { Kysely } from 'kysely';
import type { Dialect } from '../database.ts';
import { columnTypes } from './types.ts';

/** Requests that were cancelled before a build of them began keep the reason, as builds do. */
export async function up(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await db.schema.alterTable('buildrequests').addColumn('cancel_reason', columnTypes(dialect).text).execute();
}

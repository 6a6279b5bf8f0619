import type { Kysely } from 'kysely';

/** Requests that were cancelled before a build of them began keep the reason, as builds do. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('buildrequests').addColumn('cancel_reason', 'text').execute();
}

import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/**
 * What the worker was told with the assignment, so that a master that was started anew with another configuration does not give a build to a
 * second worker. A build that ran when this was added has null: nobody knows what its worker was told, so it is waited for.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('builds')
    .addColumn('orphan_after', sql`double precision`)
    .execute();
}

import { sql } from 'kysely';
import type { Store } from './store.ts';

/** Most faults that are told; one broken page of an index brings thousands. */
const MAX_TOLD = 100;

/**
 * Looks for damage in the database itself: pages that do not fit together, indexes that miss rows, rows that name rows which are not there.
 * Gives sentences; none means sound. Reads everything once, so it takes as long as the disk takes. PostgreSQL looks after itself.
 */
export async function checkStore(store: Store): Promise<string[]> {
  if (store.dialect !== 'sqlite') return [];
  return store.read(async (db) => {
    const pages = await sql<{
      integrity_check: string;
    }>`pragma integrity_check(${sql.lit(MAX_TOLD)})`.execute(db);
    const keys = await sql<{
      table: string;
      rowid: number | null;
      parent: string;
    }>`pragma foreign_key_check`.execute(db);
    return [
      ...pages.rows.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
      ...keys.rows
        .slice(0, MAX_TOLD)
        .map(
          ({ table, rowid, parent }) =>
            `row ${rowid ?? '?'} of ${table} names a row of ${parent} that is missing`,
        ),
    ];
  });
}

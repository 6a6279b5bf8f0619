import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Where functions that only read take their rows from: `store.read`'s argument, or a transaction. */
export type Db = Kysely<Tables>;

/** What functions that write take: the argument of `store.write`'s callback. */
export type Tx = Transaction<Tables>;

/** Which database stands behind; the schema and a few words of SQL differ. */
export type Dialect = 'sqlite' | 'postgres';

/** A part of a list. */
export interface Page {
  limit: number;
  offset?: number;
}

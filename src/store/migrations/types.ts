import { sql } from 'kysely';
import type { ColumnDefinitionBuilder } from 'kysely';
import type { Dialect } from '../database.ts';

/**
 * Types of columns that hold the same values on both databases. Migrations name types by this alone: `addColumn('at', types.real)`,
 * `addColumn('buildid', types.integer, types.id)`.
 */
export function columnTypes(dialect: Dialect) {
  const sqlite = dialect === 'sqlite';
  return {
    /** Whole numbers to 2^53, booleans as 0 and 1, and ids. */
    integer: sqlite ? ('integer' as const) : ('bigint' as const),
    /** Epoch seconds and other numbers with fractions. */
    real: sql`double precision`,
    /**
     * UTF-8, ordered and compared by its bytes as SQLite does: PostgreSQL would else follow the language of the server, and could not use
     * an index for "begins with".
     */
    text: sqlite ? ('text' as const) : sql`text collate "C"`,
    /** The column is the row's id: numbered by the database, and a number is never used again. */
    id: (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
      sqlite ? column.primaryKey().autoIncrement() : column.primaryKey().generatedByDefaultAsIdentity(),
  };
}

import { CompiledQuery, SqliteDialect, SqliteDriver } from 'kysely';
import type { DatabaseConnection, Driver } from 'kysely';
import type { SqliteFile } from './database.ts';

/** Kysely's SQLite dialect over one `node:sqlite` connection. */
export function sqliteDialect(database: SqliteFile): SqliteDialect {
  const config = { database };
  return Object.assign(new SqliteDialect(config), {
    createDriver: (): Driver => new ImmediateDriver(config),
  });
}

/**
 * Takes SQLite's write lock at the start of a transaction: one that began as a reader can fail at its first write, when another
 * process has written since, and could then only be begun again.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { sqliteError } from './error.ts';

/**
 * How long SQLite itself waits, blocking the process, for another process's lock. Short: the store waits longer than this, but
 * without holding up everything else (see `begin` in transactions.ts).
 */
const BUSY_TIMEOUT_MS = 50;

/** Prepared statements kept per connection; the store's functions have fewer different texts, lists of ids aside. */
const STATEMENTS = 500;

/** A `node:sqlite` database as kysely's dialect wants it, with its statements kept prepared and its errors translated. */
export interface SqliteFile extends SqliteDatabase {
  readonly raw: DatabaseSync;
}

/** Opens a file. With `readOnly` nothing is ever written by this connection. */
export function openSqlite(file: string, options: { readOnly: boolean }): SqliteFile {
  return translated(file, () => {
    const raw = new DatabaseSync(file, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT_MS });
    try {
      // A commit is in the write-ahead log when it returns, and on the disk after a flush of that (wal.ts).
      raw.exec('pragma foreign_keys = on; pragma synchronous = normal; pragma temp_store = memory');
      // 16 MB of pages: the indexes of a year's history stay in memory.
      raw.exec('pragma cache_size = -16384');
      return wrap(file, raw);
    } catch (error) {
      raw.close();
      throw error;
    }
  });
}

function wrap(file: string, raw: DatabaseSync): SqliteFile {
  const kept = new Map<string, SqliteStatement>();
  return {
    raw,
    close: () => raw.close(),
    prepare(sql) {
      const known = kept.get(sql);
      if (known !== undefined) {
        // Used last stands last: the first of the map is the one to let go.
        kept.delete(sql);
        kept.set(sql, known);
        return known;
      }
      const statement = statementOf(
        file,
        translated(file, () => raw.prepare(sql)),
      );
      kept.set(sql, statement);
      if (kept.size > STATEMENTS) kept.delete(kept.keys().next().value as string);
      return statement;
    },
  };
}

function statementOf(file: string, statement: StatementSync): SqliteStatement {
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => translated(file, () => statement.all(...values(parameters))),
    run: (parameters) => translated(file, () => statement.run(...values(parameters))),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}

function translated<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw sqliteError(file, error);
  }
}

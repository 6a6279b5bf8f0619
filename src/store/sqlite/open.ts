import { existsSync } from 'node:fs';
import { Kysely, sql } from 'kysely';
import { BbxError } from '../../base/error.ts';
import type { Tables } from '../tables.ts';
import type { Engine } from '../engine.ts';
import { createFlusher } from '../flusher.ts';
import { codes } from '../codes.ts';
import { openSqlite } from './database.ts';
import type { SqliteFile } from './database.ts';
import { sqliteDialect } from './dialect.ts';
import { isBusy, sqliteError } from './error.ts';
import { makePrivateFile } from './private.ts';
import { createWal } from './wal.ts';
import type { Wal } from './wal.ts';

/** A transaction of ours is some SQL, milliseconds; one that takes this long waits for something that it should not. */
const TRANSACTION_MS = 10_000;

/**
 * Opens a SQLite file with a connection that writes and one that only reads (in WAL mode it sees the newest commit and never waits).
 * Makes the file when it is missing and `readOnly` is not set. Errors: BBX-STO-MISSING, -OPEN, -DAMAGED.
 */
export function openSqliteEngine(
  file: string,
  options: {
    readOnly: boolean;
    /** A flush has failed: this process may confirm nothing more, and should end. */
    onTaken?: (error: BbxError) => void;
    /** For tests of disks that fail. */
    openWal?: (file: string) => Wal;
  },
): Engine {
  const fresh = !existsSync(file);
  if (options.readOnly && fresh) throw codes['BBX-STO-MISSING']({ file });
  if (fresh) makePrivateFile(file);
  const write = openSqlite(file, options);
  let read: SqliteFile;
  try {
    // Reading one page finds a file that is no database at all.
    write.prepare('select count(*) from sqlite_master').all([]);
    if (!options.readOnly) enterWal(file, write, fresh);
    read = options.readOnly ? write : openSqlite(file, { readOnly: true });
  } catch (error) {
    write.close();
    throw sqliteError(file, error);
  }
  const wal = options.readOnly ? undefined : (options.openWal ?? createWal)(file);
  const flusher =
    wal &&
    createFlusher(() =>
      wal.sync().catch((error: unknown) => {
        if (error instanceof BbxError) options.onTaken?.(error);
        throw error;
      }),
    );
  const writer = new Kysely<Tables>({ dialect: sqliteDialect(write) });
  const reader = read === write ? writer : new Kysely<Tables>({ dialect: sqliteDialect(read) });
  return {
    dialect: 'sqlite',
    name: file,
    writer,
    reader,
    isBusy,
    snapshot: (act) =>
      reader.connection().execute(async (db) => {
        await sql`begin`.execute(db);
        try {
          return await act(db);
        } finally {
          await sql`rollback`.execute(db);
        }
      }),
    ...(flusher === undefined ? {} : { flusher }),
    transactionMs: TRANSACTION_MS,
    overdue: (ms) =>
      new Error(`a transaction was not over after ${ms} ms: it waits for something other than SQL`),
    patiently: (act) => act(),
    // The lock on its directory says that a master is the only one.
    own: () => Promise.resolve(),
    vacuum(pages) {
      try {
        write.raw.exec(`pragma incremental_vacuum(${Math.trunc(pages)})`);
        const [left] = write.raw.prepare('pragma freelist_count').all();
        return Promise.resolve(Number(left?.['freelist_count']));
      } catch (error) {
        return Promise.reject(sqliteError(file, error) as Error);
      }
    },
    hurry: () => undefined,
    interrupt: () => undefined,
    async close() {
      await flusher?.idle();
      if (reader !== writer) await reader.destroy();
      await writer.destroy();
      await wal?.close();
    },
  };
}

/** WAL needs a lock for itself the first time; `auto_vacuum` can only be chosen while the file is empty. */
function enterWal(file: string, database: SqliteFile, fresh: boolean): void {
  try {
    if (fresh) database.raw.exec('pragma auto_vacuum = incremental');
    database.raw.exec('pragma journal_mode = wal');
  } catch (error) {
    throw sqliteError(file, error);
  }
}

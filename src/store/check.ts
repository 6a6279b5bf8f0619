import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { BbxError, errnoOf } from '../base/error.ts';
import { inspectLogFile } from './log-files/inspect.ts';
import { logOfFile } from './log-files/place.ts';
import type { Range } from './log-files/recover.ts';
import type { Store } from './store.ts';

/** Something that is not as it should be. `error`: data is missing or wrong; `warn`: only space is lost. */
export type StoreFinding =
  | { kind: 'integrity'; status: 'error'; problem: string }
  | { kind: 'reference'; status: 'error'; table: string; row: number | null; parent: string }
  | { kind: 'log-missing'; status: 'error'; logid: number; bytes: number }
  | { kind: 'log-short'; status: 'error'; logid: number; bytes: number; found: number }
  | { kind: 'log-damaged'; status: 'error'; logid: number; file: string; ranges: Range[] }
  | { kind: 'log-unreadable'; status: 'error'; logid: number; file: string; problem: string }
  | { kind: 'file-without-row'; status: 'warn'; file: string }
  | { kind: 'file-of-pruned-log'; status: 'warn'; logid: number; file: string }
  | { kind: 'leftover'; status: 'warn'; file: string };

/** Rows of logs looked at per query. */
const ROWS = 1_000;

/**
 * Looks at everything: the database's pages and references, every log's file against its row, every file's checksums. Changes
 * nothing. Findings come one by one, since reading all logs takes as long as the disk does; `signal` ends it between two logs.
 */
export async function* checkStore(
  store: Store,
  logsDir: string,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<StoreFinding, void, undefined> {
  const { signal } = options;
  yield* checkDatabase(store);
  for (let after = 0; ;) {
    const rows = await store.read((db) =>
      db
        .selectFrom('logs')
        .select(['logid', 'bytes', 'pruned'])
        .where('logid', '>', after)
        .orderBy('logid')
        .limit(ROWS)
        .execute(),
    );
    for (const row of rows) {
      signal?.throwIfAborted();
      yield* checkLog(logsDir, row);
      after = row.logid;
    }
    if (rows.length < ROWS) break;
  }
  yield* checkFiles(store, logsDir, signal);
}

async function* checkDatabase(store: Store): AsyncGenerator<StoreFinding, void, undefined> {
  // PostgreSQL checks its references itself and its pages on reading.
  if (store.dialect !== 'sqlite') return;
  const pages = await store
    .read((db) => sql<{ integrity_check: string }>`pragma integrity_check(100)`.execute(db))
    .then(
      (result) => result.rows.map((row) => row.integrity_check),
      (error: unknown) => {
        if (error instanceof BbxError) return [error.message];
        throw error;
      },
    );
  for (const problem of pages) {
    if (problem !== 'ok') yield { kind: 'integrity', status: 'error', problem };
  }
  const references = await store.read((db) =>
    sql<{ table: string; rowid: number | null; parent: string }>`pragma foreign_key_check`.execute(db),
  );
  for (const { table, rowid, parent } of references.rows) {
    yield { kind: 'reference', status: 'error', table, row: rowid, parent };
  }
}

async function* checkLog(
  logsDir: string,
  row: { logid: number; bytes: number; pruned: number },
): AsyncGenerator<StoreFinding, void, undefined> {
  const { logid, bytes } = row;
  const found = await inspectLogFile(logsDir, logid);
  if (row.pruned === 1) {
    if (found !== undefined) yield { kind: 'file-of-pruned-log', status: 'warn', logid, file: found.file };
    return;
  }
  if (found === undefined) {
    if (bytes > 0) yield { kind: 'log-missing', status: 'error', logid, bytes };
    return;
  }
  const { file } = found;
  if (found.problem !== undefined) {
    yield { kind: 'log-unreadable', status: 'error', logid, file, problem: found.problem };
    return;
  }
  if (found.bytes < bytes) yield { kind: 'log-short', status: 'error', logid, bytes, found: found.bytes };
  if (found.damaged.length > 0) {
    yield { kind: 'log-damaged', status: 'error', logid, file, ranges: found.damaged };
  }
}

/** Files that no row speaks of. */
async function* checkFiles(
  store: Store,
  logsDir: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoreFinding, void, undefined> {
  for (const folder of await list(logsDir)) {
    signal?.throwIfAborted();
    const names = await list(join(logsDir, folder));
    const ids = names.map((name) => logOfFile(name)?.logid).filter((logid) => logid !== undefined);
    const known = new Set<number>();
    for (let from = 0; from < ids.length; from += ROWS) {
      const rows = await store.read((db) =>
        db
          .selectFrom('logs')
          .select('logid')
          .where('logid', 'in', ids.slice(from, from + ROWS))
          .execute(),
      );
      for (const row of rows) known.add(row.logid);
    }
    for (const name of names) {
      const file = join(logsDir, folder, name);
      const log = logOfFile(name);
      if (log === undefined || log.kind === 'unfinished') yield { kind: 'leftover', status: 'warn', file };
      else if (!known.has(log.logid)) yield { kind: 'file-without-row', status: 'warn', file };
    }
  }
}

async function list(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return [];
    throw error;
  }
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { BbxError, errnoOf } from '../base/error.ts';
import { inspectLogFile } from './log-files/inspect.ts';
import { logOfFile } from './log-files/place.ts';
import type { Range } from './log-files/recover.ts';
import { checkRows, type RowFinding } from './check-rows.ts';
import type { Db } from './database.ts';
import { DUMPED } from './dump.ts';
import { decodeSmallLog, hashOfPieces, SMALL_LOGS_SINCE } from './small-log.ts';
import type { Store } from './store.ts';

/** Something that is not as it should be. `error`: data is missing or wrong; `warn`: nothing of what it holds is lost. */
export type StoreFinding =
  | { kind: 'integrity'; status: 'error'; problem: string }
  | { kind: 'reference'; status: 'error'; table: string; row: number | null; parent: string }
  | RowFinding
  | { kind: 'unreadable'; status: 'error'; problem: string }
  | { kind: 'log-hash'; status: 'error'; logid: number; file: string; found: string; stored: string }
  | { kind: 'log-row'; status: 'error'; logid: number; problem: string }
  | { kind: 'log-missing'; status: 'error'; logid: number; bytes: number }
  | { kind: 'log-short'; status: 'error'; logid: number; bytes: number; found: number }
  | { kind: 'log-damaged'; status: 'error'; logid: number; file: string; ranges: Range[] }
  | { kind: 'log-unmarked'; status: 'error'; logid: number; file: string; ranges: Range[] }
  | { kind: 'log-table'; status: 'warn'; logid: number; file: string }
  | { kind: 'log-unreadable'; status: 'error'; logid: number; file: string; problem: string }
  | { kind: 'file-without-row'; status: 'warn'; file: string }
  | { kind: 'file-of-pruned-log'; status: 'warn'; logid: number; file: string }
  | { kind: 'leftover'; status: 'warn'; file: string };

/** Rows of logs looked at per query. */
const ROWS = 1_000;

export interface CheckOptions {
  signal?: AbortSignal;
  /** How far it has come. */
  onProgress?: (text: string) => void;
}

/**
 * Looks at everything: the database's pages and references, what stands in its rows, every log's file (or its bytes in the row) against its row,
 * every file's checksums. Changes nothing. Findings come one by one, since reading all logs takes as long as the disk does; `signal` ends it between two
 * tables or logs. What cannot be read is a finding, and the rest is looked at.
 */
export async function* checkStore(
  store: Store,
  logsDir: string,
  options: CheckOptions = {},
): AsyncGenerator<StoreFinding, void, undefined> {
  const { signal, onProgress } = options;
  const told = new Set<string>();
  const rest = async function* (part: AsyncGenerator<StoreFinding, void, undefined>) {
    try {
      yield* part;
    } catch (error) {
      if (!(error instanceof BbxError) || error.code !== 'BBX-STO-DAMAGED') throw error;
      const problem = String(error.data['problem']);
      if (!told.has(problem)) yield { kind: 'unreadable', status: 'error', problem } as const;
      told.add(problem);
    }
  };
  onProgress?.('checking the database');
  yield* rest(checkDatabase(store));
  for (const { name } of DUMPED) {
    signal?.throwIfAborted();
    onProgress?.(`reading rows: ${name}`);
    yield* rest(readThrough(store, (db) => checkRows(db, name)));
  }
  yield* rest(checkLogs(store, logsDir, options));
  yield* rest(checkFiles(store, logsDir, signal));
}

/** Every log's file against its row. */
async function* checkLogs(
  store: Store,
  logsDir: string,
  { signal, onProgress }: CheckOptions,
): AsyncGenerator<StoreFinding, void, undefined> {
  let done = 0;
  for (let after = 0; ;) {
    const rows = await store.read((db) =>
      db
        .selectFrom('logs')
        .select(['logid', 'bytes', 'pruned', 'complete', 'sha256'])
        .$if(store.schema >= SMALL_LOGS_SINCE, (query) => query.select('content'))
        .where('logid', '>', after)
        .orderBy('logid')
        .limit(ROWS)
        .execute(),
    );
    for (const row of rows) {
      signal?.throwIfAborted();
      yield* checkLog(logsDir, row);
      after = row.logid;
      done += 1;
      onProgress?.(`reading logs: ${done}`);
    }
    if (rows.length < ROWS) break;
  }
}

/** What a generator over the database gives; its reads are the store's. */
async function* readThrough<T>(
  store: Store,
  make: (db: Db) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  yield* await store.read(async (db) => Array.fromAsync(make(db)));
}

/** Log files without the rows that speak of them, for a database that cannot be opened: each by its own checksums. */
export async function* checkLogFiles(
  logsDir: string,
  options: CheckOptions = {},
): AsyncGenerator<StoreFinding, void, undefined> {
  let done = 0;
  for (const folder of await list(logsDir)) {
    for (const name of await list(join(logsDir, folder))) {
      options.signal?.throwIfAborted();
      const log = logOfFile(name);
      if (log === undefined || log.kind === 'unfinished') continue;
      yield* checkLog(logsDir, { logid: log.logid, bytes: 0, pruned: 0, complete: 0, sha256: null });
      done += 1;
      options.onProgress?.(`reading logs: ${done}`);
    }
  }
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
  row: {
    logid: number;
    bytes: number;
    pruned: number;
    complete: number;
    sha256: string | null;
    content?: string | null | undefined;
  },
): AsyncGenerator<StoreFinding, void, undefined> {
  const { logid, bytes } = row;
  const found = await inspectLogFile(logsDir, logid);
  const content = row.content ?? null;
  if (content !== null) {
    const problem = problemOfSmall({ ...row, content });
    if (problem !== undefined) yield { kind: 'log-row', status: 'error', logid, problem };
    if (found !== undefined) yield { kind: 'leftover', status: 'warn', file: found.file };
    return;
  }
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
  if (found.tableDamaged === true) yield { kind: 'log-table', status: 'warn', logid, file };
  const { unmarked = [] } = found;
  if (unmarked.length > 0) yield { kind: 'log-unmarked', status: 'error', logid, file, ranges: unmarked };
  if (found.bytes < bytes) yield { kind: 'log-short', status: 'error', logid, bytes, found: found.bytes };
  if (found.damaged.length > 0) {
    yield { kind: 'log-damaged', status: 'error', logid, file, ranges: found.damaged };
  } else if (row.complete === 1 && row.sha256 !== null && found.sha256 !== row.sha256) {
    const hash = found.sha256 ?? 'unknown';
    yield { kind: 'log-hash', status: 'error', logid, file, found: hash, stored: row.sha256 };
  }
}

/** What is wrong with the bytes of a log that stand in its row. */
function problemOfSmall(row: { bytes: number; sha256: string | null; content: string }): string | undefined {
  const pieces = decodeSmallLog(row.content);
  if (pieces === undefined) return 'its bytes cannot be read';
  const size = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
  if (size !== row.bytes) return `it has ${size} bytes instead of ${row.bytes}`;
  return hashOfPieces(pieces) === row.sha256 ? undefined : 'its bytes do not have its SHA-256';
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
    const running = new Set<number>();
    for (const name of names) {
      const log = logOfFile(name);
      if (log?.kind === 'running') running.add(log.logid);
    }
    for (const name of names) {
      const file = join(logsDir, folder, name);
      const log = logOfFile(name);
      // A master that was killed as it compressed: the next one, once it has time, begins this log anew and with it the file.
      if (log?.kind === 'unfinished' && running.has(log.logid)) continue;
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

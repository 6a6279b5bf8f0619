import type { Db } from './database.ts';
import { DUMPED, dumpTable } from './dump.ts';
import type { Tables } from './tables.ts';

/** A value in a row that nothing could have written. */
export interface RowFinding {
  kind: 'row';
  status: 'error';
  table: string;
  /** The row's key. */
  row: string;
  column: string;
  problem: string;
}

/** Of one table so many are told; a page that rots concerns some rows, and more say nothing new. */
const MOST = 20;

/** 2286: a time in milliseconds, or garbage, is larger. */
const LATEST_S = 1e10;

/**
 * Reads every row of a table and looks at what its columns hold. SQLite checks how its pages hang together, and not what stands in them: this
 * finds the damage that JSON, times, hashes and tokens can show. What is left are words: a letter that changed in a comment is seen by nobody.
 */
export async function* checkRows(db: Db, table: keyof Tables): AsyncGenerator<RowFinding, void, undefined> {
  const dumped = DUMPED.find(({ name }) => name === table)!;
  const found: RowFinding[] = [];
  const onRow = (row: Record<string, unknown>) => {
    for (const [column, value] of Object.entries(row)) {
      const problem = found.length < MOST ? problemOf(table, column, value) : undefined;
      if (problem === undefined) continue;
      const key = dumped.key.map((name) => String(row[name])).join(' ');
      found.push({ kind: 'row', status: 'error', table, row: key, column, problem });
    }
  };
  for await (const _ of dumpTable(db, dumped, onRow)) yield* found.splice(0);
  yield* found;
}

/** What is wrong with a value; its column's name says what it should be. */
export function problemOf(table: string, column: string, value: unknown): string | undefined {
  if (value === null) return undefined;
  if (column.endsWith('_json')) return isJson(value) ? undefined : 'it is not JSON';
  if (column.endsWith('_at') || column === 'at') {
    return typeof value === 'number' && value >= 0 && value < LATEST_S ? undefined : 'it is not a time';
  }
  if (column === 'sha256' || column === 'secret_sha256') {
    return typeof value === 'string' && value.length >= 40 && /^[\w+/=-]+$/.test(value)
      ? undefined
      : 'it is not a hash';
  }
  if (column === 'results') {
    return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 6
      ? undefined
      : 'it is not a result';
  }
  if (table === 'builds' && column === 'token') {
    return /^\d{1,6}-[0-9a-f]{16}$/.test(String(value)) ? undefined : 'it is not a lease';
  }
  if (column.endsWith('id') || column === 'number' || column === 'bytes') {
    return Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'it is not a number';
  }
  return undefined;
}

function isJson(value: unknown): boolean {
  try {
    JSON.parse(String(value));
    return typeof value === 'string';
  } catch {
    return false;
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SQLInputValue } from 'node:sqlite';
import { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builderRows } from '../../../src/store/builders.ts';
import { pendingRequests, requestById, requestRows } from '../../../src/store/buildrequests.ts';
import {
  buildById,
  buildByNumber,
  buildRows,
  newestBuild,
  unfinishedBuilds,
} from '../../../src/store/build-rows.ts';
import { changeRows, changesOfBuildset, schedulerChanges } from '../../../src/store/changes.ts';
import type { Db } from '../../../src/store/database.ts';
import { eventsAfter, lastEventId } from '../../../src/store/events.ts';
import { leftLogs, logsOfBuild } from '../../../src/store/logs.ts';
import { openSqlite } from '../../../src/store/sqlite/database.ts';
import type { SqliteFile } from '../../../src/store/sqlite/database.ts';
import { sqliteDialect } from '../../../src/store/sqlite/dialect.ts';
import { stepRows } from '../../../src/store/steps.ts';
import { openStore } from '../../../src/store/store.ts';
import type { Tables } from '../../../src/store/tables.ts';
import { workerRows } from '../../../src/store/workers.ts';

let dir: string;
let file: SqliteFile;
let db: Db;
let asked: { sql: string; parameters: readonly unknown[] }[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bbx-plan-'));
  await (await openStore('sqlite:s', { dir })).close();
  file = openSqlite(join(dir, 's'), { readOnly: true });
  db = new Kysely<Tables>({
    dialect: sqliteDialect(file),
    log: ({ query }) => {
      asked.push({ sql: query.sql, parameters: query.parameters });
    },
  });
});
afterAll(async () => {
  await db.destroy();
  await rm(dir, { recursive: true, force: true });
});

const page = { limit: 50 };

/** A farm has a few of these; everything else grows with its history. */
const SMALL = ['builders', 'workers'];

/** `page`: the list is in the order of ids, so walking it stops at the page's end. `few`: what is found is little, and may be sorted. */
type Allowed = 'page' | 'few' | undefined;

it.each<[string, (db: Db) => Promise<unknown>, Allowed?]>([
  ['builds of a builder', (from) => buildRows(from, { builder: 'a' }, page)],
  ['all builds', (from) => buildRows(from, {}, page), 'page'],
  ['builds of a worker', (from) => buildRows(from, { worker: 'w' }, page)],
  ['builds that run', (from) => buildRows(from, { complete: false }, page)],
  ['builds of a buildset', (from) => buildRows(from, { buildsetid: 1 }, page), 'few'],
  ['builds of a revision', (from) => buildRows(from, { revision: 'abc' }, page), 'few'],
  ['a build by id', (from) => buildById(from, 1)],
  ['a build by number', (from) => buildByNumber(from, 'a', 1)],
  ['the newest build', (from) => newestBuild(from, 'a')],
  ['unfinished builds', unfinishedBuilds],
  ['pending requests', (from) => pendingRequests(from, 100)],
  ['all requests', (from) => requestRows(from, {}, page), 'page'],
  ['requests of a builder', (from) => requestRows(from, { builder: 'a' }, page)],
  ['requests that are open', (from) => requestRows(from, { complete: false }, page)],
  ['requests of a revision', (from) => requestRows(from, { revision: 'abc' }, page), 'few'],
  ['a request', (from) => requestById(from, 1)],
  ['builders with their counts', (from) => builderRows(from)],
  ['workers with their counts', (from) => workerRows(from)],
  ['events after a position', (from) => eventsAfter(from, 5, 100)],
  ['the last event', lastEventId, 'page'],
  ['changes of a branch', (from) => changeRows(from, { repository: 'r', branch: 'b' }, page)],
  ['changes of a revision', (from) => changeRows(from, { revision: 'abcdef12' }, page), 'few'],
  ['all changes', (from) => changeRows(from, {}, page), 'page'],
  ['changes of a buildset', (from) => changesOfBuildset(from, 1), 'few'],
  ['changes of a scheduler', (from) => schedulerChanges(from, 's'), 'few'],
  ['steps of a build', (from) => stepRows(from, 1)],
  ['logs of a build', (from) => logsOfBuild(from, 1), 'few'],
  ['logs that were left open', (from) => leftLogs(from), 'few'],
])('%s: found by an index', async (_, read, allowed) => {
  asked = [];
  await read(db);
  expect(asked.length).toBeGreaterThan(0);
  for (const { sql, parameters } of asked) {
    const plan = file.raw
      .prepare(`explain query plan ${sql}`)
      .all(...(parameters as SQLInputValue[]))
      .map((row) => String(row['detail']));
    const slow = plan.filter((line) => {
      if (line.includes('TEMP B-TREE FOR ORDER BY')) return allowed !== 'few';
      const scanned = /^SCAN (\S+)(?= |$)(?! USING INDEX \S+_(?:pending|open|unfinished))/.exec(line)?.[1];
      return scanned !== undefined && !SMALL.includes(scanned) && allowed !== 'page';
    });
    // What runs or waits is counted without walking over what is over.
    if (sql.includes('as "running"')) expect(plan.join('\n')).toMatch(/_running|_unfinished/);
    expect(slow, `${sql}\n${plan.join('\n')}`).toEqual([]);
  }
});

import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkStore } from '../../../src/store/check.ts';
import { openLogFiles } from '../../../src/store/log-files.ts';
import { completeLog, ensureLog, markPruned, setLogSizes } from '../../../src/store/logs.ts';
import { encodeSmallLog } from '../../../src/store/small-log.ts';
import { startStep } from '../../../src/store/steps.ts';
import { openStore } from '../../../src/store/store.ts';
import { farmRows } from '../../contract/store/farm.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bbx-check-'));
  await using store = await openStore('sqlite:state.sqlite', { dir });
  await using files = await openLogFiles(join(dir, 'logs'));
  const { buildid } = await farmRows(store).build('a');
  // Three logs of three pieces: 1 and 2 finished, 3 running; 4 is empty, 5 small and in its row.
  for (const name of ['one', 'two', 'three', 'four', 'five']) {
    const logid = await store.write(async (tx) =>
      ensureLog(tx, await startStep(tx, { buildid, number: 0, name: 'shell', at: 1 }), name),
    );
    if (name === 'four') continue;
    if (name === 'five') {
      const small = encodeSmallLog([{ channel: 'stdout', at: 1, bytes: Buffer.from('hello\n') }]);
      await store.write((tx) => completeLog(tx, logid, small));
      continue;
    }
    for (let piece = 0; piece < 3; piece += 1) {
      const bytes = randomBytes(10_000);
      await files.append(logid, { offset: piece * 10_000, channel: 'stdout', at: 1, bytes });
      await files.sync([logid]);
    }
    if (name !== 'three') await files.finish(logid);
    await store.write((tx) => setLogSizes(tx, [[logid, 30_000]]));
  }
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const log = (name: string) => join(dir, 'logs', '0', name);

async function findings() {
  await using store = await openStore('sqlite:state.sqlite', { dir, readOnly: true });
  return await Array.fromAsync(checkStore(store, join(dir, 'logs')));
}

async function putContent(content: string): Promise<void> {
  await using store = await openStore('sqlite:state.sqlite', { dir });
  await store.write((tx) => tx.updateTable('logs').set({ content }).where('logid', '=', 5).execute());
}

async function flip(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, position);
  await handle.write(Buffer.from([(byte[0] as number) ^ 1]), 0, 1, position);
  await handle.close();
}

it('finds nothing in a sound store', async () => {
  expect(await findings()).toEqual([]);
});

it.each([
  [
    'a finished log’s file is gone',
    () => rm(log('1.zst')),
    [{ kind: 'log-missing', logid: 1, bytes: 30_000 }],
  ],
  [
    'a finished log is damaged',
    () => flip(log('2.zst'), 5_000),
    [{ kind: 'log-damaged', logid: 2, ranges: [{ from: 0, to: 30_000 }] }],
  ],
  [
    'the channels of a finished log are damaged',
    async () => {
      const trailer = (await readFile(log('2.zst'))).indexOf(Buffer.from('5b2a4d18', 'hex'));
      await flip(log('2.zst'), trailer + 50);
    },
    [{ kind: 'log-unmarked', status: 'error', logid: 2, ranges: [{ from: 0, to: 30_000 }] }],
  ],
  [
    'the table of a finished log is damaged',
    async () => flip(log('2.zst'), (await stat(log('2.zst'))).size - 30),
    [{ kind: 'log-table', status: 'warn', logid: 2 }],
  ],
  [
    'a running log is damaged',
    () => flip(log('3.log'), 11_000),
    [{ kind: 'log-damaged', logid: 3, ranges: [{ from: 10_000, to: 20_000 }] }],
  ],
  [
    'a running log is shorter than its row says',
    () => truncate(log('3.log'), 16 + 2 * 10_048),
    [{ kind: 'log-short', logid: 3, bytes: 30_000, found: 20_000 }],
  ],
  [
    'nothing of a log can be read',
    () => writeFile(log('3.log'), randomBytes(5_000)),
    [{ kind: 'log-unreadable', logid: 3 }],
  ],
  [
    'a log in its row has other bytes',
    () => putContent(JSON.stringify([['stdout', 1, Buffer.from('hellO\n').toString('base64')]])),
    [{ kind: 'log-row', status: 'error', logid: 5 }],
  ],
  [
    'a log in its row has fewer bytes',
    () => putContent('[]'),
    [{ kind: 'log-row', logid: 5, problem: 'it has 0 bytes instead of 6' }],
  ],
  ['a log in its row cannot be read', () => putContent('[["stdout",1,'), [{ kind: 'log-row', logid: 5 }]],
  ['a log in its row has a file', () => writeFile(log('5.log'), 'x'), [{ kind: 'leftover', status: 'warn' }]],
  ['a file has no row', () => writeFile(log('77.log'), ''), [{ kind: 'file-without-row', status: 'warn' }]],
  [
    'a half compressed file is all that is left',
    () => writeFile(log('7.zst.new'), 'x'),
    [{ kind: 'leftover' }],
  ],
  [
    'a finished log has a half compressed file',
    () => writeFile(log('1.zst.new'), 'x'),
    [{ kind: 'leftover' }],
  ],
  ['a log is half compressed, which the next master does anew', () => writeFile(log('3.zst.new'), 'x'), []],
  [
    'a pruned log still has its file',
    async () => {
      await using store = await openStore('sqlite:state.sqlite', { dir });
      await store.write((tx) => markPruned(tx, [1]));
    },
    [{ kind: 'file-of-pruned-log', logid: 1 }],
  ],
  [
    'a row refers to one that is gone',
    () => {
      const raw = new DatabaseSync(join(dir, 'state.sqlite'));
      raw.exec('pragma foreign_keys = off; delete from workers');
      raw.close();
    },
    [{ kind: 'reference', table: 'builds', row: 1, parent: 'workers' }],
  ],
  [
    'an index does not agree with its table',
    () => {
      const raw = new DatabaseSync(join(dir, 'state.sqlite'), { enableForeignKeyConstraints: false });
      raw.enableDefensive(false);
      raw.exec('pragma writable_schema = on');
      raw.exec(`update sqlite_master set rootpage = (select rootpage from sqlite_master where name = 'events_by_time')
        where name = 'changes_by_revision'`);
      raw.close();
    },
    [{ kind: 'integrity', status: 'error' }],
  ],
] as const)('says when %s, and changes nothing', async (_, hurt, expected) => {
  await hurt();
  const found = await findings();
  expect(found.slice(0, expected.length)).toMatchObject(expected);
  expect(await findings()).toEqual(found);
});

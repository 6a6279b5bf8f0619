import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cancelRequest, pendingRequests } from '../../../src/store/buildrequests.ts';
import { addChange } from '../../../src/store/changes.ts';
import { buildRows } from '../../../src/store/build-rows.ts';
import { checkStore } from '../../../src/store/check.ts';
import { appendEvent, eventsAfter } from '../../../src/store/events.ts';
import { openLogFiles } from '../../../src/store/log-files.ts';
import type { LogFiles } from '../../../src/store/log-files.ts';
import { completeLog, ensureLog, logsOfBuild, logWithContent } from '../../../src/store/logs.ts';
import { prune } from '../../../src/store/retention.ts';
import { encodeSmallLog } from '../../../src/store/small-log.ts';
import { startStep } from '../../../src/store/steps.ts';
import { openStore } from '../../../src/store/store.ts';
import type { Store } from '../../../src/store/store.ts';
import { farmRows } from '../../contract/store/farm.ts';

let dir: string;
let store: Store;
let files: LogFiles;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bbx-prune-'));
  store = await openStore('sqlite:state.sqlite', { dir });
  files = await openLogFiles(join(dir, 'logs'));
});
afterEach(async () => {
  await files.close();
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const DAY_S = 86_400;
const DAY_MS = DAY_S * 1000;
const KEEP_ALL = { logsMs: null, builds: null, eventsMs: null, linksMs: null, unbuiltMs: null };

/** A build with a log of 20 kB; `end` null: it still runs. */
async function build(builder: string, end: number | null): Promise<{ buildid: number; logid: number }> {
  const farm = farmRows(store);
  const made = await farm.build(builder, end ?? 1);
  const logid = await store.write(async (tx) =>
    ensureLog(tx, await startStep(tx, { buildid: made.buildid, number: 0, name: 'shell', at: 1 }), 'stdio'),
  );
  await files.append(logid, { offset: 0, channel: 'stdout', at: 1, bytes: randomBytes(20_000) });
  if (end !== null) {
    const { bytes, sha256 } = await files.finish(logid);
    await store.write((tx) => completeLog(tx, logid, { bytes, sha256 }));
    await farm.finish(made, 'success', end);
  }
  return { buildid: made.buildid, logid };
}

const buildids = async () =>
  (await store.read((db) => buildRows(db, {}, { limit: 1_000 }))).map((row) => row.buildid);
const logFiles = async () => (await readdir(join(dir, 'logs', '0'))).sort();

it('removes the logs of builds that ended too long ago, and says so in their rows', async () => {
  const old = await build('a', 1 * DAY_S);
  const young = await build('a', 9 * DAY_S);
  const unfinished = await build('a', null);
  const done = await prune(store, files, { ...KEEP_ALL, logsMs: 5 * DAY_MS }, 10 * DAY_S);
  expect(done).toMatchObject({ builds: 0, logs: 1, events: 0 });
  expect(done.freed).toBeGreaterThan(19_000);
  expect(await logFiles()).toEqual([`${young.logid}.zst`, `${unfinished.logid}.log`]);
  const pruned = async ({ buildid }: { buildid: number }) =>
    (await store.read((db) => logsOfBuild(db, buildid)))[0]?.pruned;
  expect([await pruned(old), await pruned(young), await pruned(unfinished)]).toEqual([true, false, false]);
  expect(await Array.fromAsync(checkStore(store, join(dir, 'logs')))).toEqual([]);
  expect(await prune(store, files, { ...KEEP_ALL, logsMs: 5 * DAY_MS }, 10 * DAY_S)).toMatchObject({
    logs: 0,
  });
});

it('removes the bytes of a log that stand in its row', async () => {
  const { buildid, logid } = await build('a', 1 * DAY_S);
  const small = encodeSmallLog([{ channel: 'stdout', at: 1, bytes: Buffer.from('hello\n') }]);
  await files.remove(logid);
  await store.write((tx) => completeLog(tx, logid, small));
  await prune(store, files, { ...KEEP_ALL, logsMs: 5 * DAY_MS }, 10 * DAY_S);
  expect(await store.read((db) => logWithContent(db, logid))).toMatchObject({ pruned: true, content: null });
  expect((await store.read((db) => logsOfBuild(db, buildid)))[0]?.bytes).toBe(6);
});

it('keeps the newest finished builds of each builder and every unfinished one', async () => {
  const stuck = await build('a', null);
  const a = [await build('a', 2), await build('a', 3), await build('a', 4)];
  const b = [await build('b', 1)];
  const waiting = await farmRows(store).request('b');
  const done = await prune(store, files, { ...KEEP_ALL, builds: 1 }, 10);
  expect(done).toMatchObject({ builds: 2, logs: 2 });
  const kept = [b[0], a[2], stuck].map((one) => one?.buildid);
  expect((await buildids()).sort()).toEqual(kept.sort());
  expect(await logFiles()).toHaveLength(3);
  const requests = await store.read((db) => db.selectFrom('buildrequests').selectAll().execute());
  expect(requests).toHaveLength(4);
  expect((await store.read((db) => pendingRequests(db, 9))).map((row) => row.buildrequestid)).toEqual([
    waiting,
  ]);
  expect(await Array.fromAsync(checkStore(store, join(dir, 'logs')))).toEqual([]);
  // Numbers go on where they were.
  expect((await farmRows(store).build('a')).number).toBe(5);
});

it('removes old events and gives the space back to the disk', async () => {
  await store.write(async (tx) => {
    for (let at = 0; at < 3_000; at += 1) {
      await appendEvent(tx, { at, type: 'x', payload: { filler: 'y'.repeat(1_000) } });
    }
  });
  await store.close();
  store = await openStore('sqlite:state.sqlite', { dir });
  const before = (await stat(join(dir, 'state.sqlite'))).size;
  const done = await prune(store, files, { ...KEEP_ALL, eventsMs: 1_000_000 }, 3_500);
  expect(done.events).toBe(2_500);
  expect((await store.read((db) => eventsAfter(db, 0, 1)))[0]?.at).toBe(2_500);
  await store.close();
  expect((await stat(join(dir, 'state.sqlite'))).size).toBeLessThan(before / 2);
  store = await openStore('sqlite:state.sqlite', { dir });
});

it('removes old requests that were never built, and old changes that belong to nothing', async () => {
  const farm = farmRows(store);
  const [cancelled, waits] = [await farm.request('a'), await farm.request('a')];
  const late = await farm.request('a');
  const built = await build('a', 2);
  await store.write(async (tx) => {
    await cancelRequest(tx, cancelled, { at: 2, reason: 'no more' });
    await cancelRequest(tx, late, { at: 9 * DAY_S, reason: '' });
  });
  const change = (revision: string, at: number) =>
    store.write((tx) =>
      addChange(tx, {
        ...{ repository: 'app', branch: 'main', revision, author: '', comments: '', files: [] },
        ...{ when_timestamp: at, received_at: at, properties: {} },
      }),
    );
  const [, held, , newest] = [
    await change('1', 1),
    await change('2', 1),
    await change('3', 9 * DAY_S),
    await change('4', 2),
  ];
  await store.write((tx) =>
    tx.insertInto('scheduler_changes').values({ scheduler: 's', changeid: held }).execute(),
  );
  const young = newest - 1;

  const done = await prune(store, files, { ...KEEP_ALL, unbuiltMs: 5 * DAY_MS }, 10 * DAY_S);
  expect(done).toMatchObject({ builds: 0, unbuilt: 1, changes: 1 });
  const requests = await store.read((db) =>
    db.selectFrom('buildrequests').select('buildrequestid').execute(),
  );
  const left = requests.map(({ buildrequestid }) => buildrequestid);
  expect(left).toHaveLength(3);
  expect(left).toEqual(expect.arrayContaining([waits, late]));
  expect(await buildids()).toEqual([built.buildid]);
  const changes = await store.read((db) =>
    db.selectFrom('changes').select('changeid').orderBy('changeid').execute(),
  );
  expect(changes.map(({ changeid }) => changeid)).toEqual([held, young, newest]);
  expect(await Array.fromAsync(checkStore(store, join(dir, 'logs')))).toEqual([]);
});

it('stops between two batches when it is told to', async () => {
  await build('a', 1);
  const signal = AbortSignal.abort();
  expect(
    await prune(
      store,
      files,
      { ...KEEP_ALL, logsMs: 0, builds: 0, eventsMs: 0, linksMs: 0, unbuiltMs: 0 },
      10,
      signal,
    ),
  ).toMatchObject({
    builds: 0,
    logs: 0,
  });
});

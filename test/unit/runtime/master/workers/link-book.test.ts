import { expect, it } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { silentLog } from '../../../../../src/base/log.ts';
import { createSteadyClock } from '../../../../../src/base/steady-clock.ts';
import type { LinkRecord } from '../../../../../src/protocol/bbx/link-facts.ts';
import type { MasterSession } from '../../../../../src/protocol/bbx/master-contract.ts';
import type { Farm } from '../../../../../src/runtime/master/events.ts';
import { openLinkBook } from '../../../../../src/runtime/master/workers/link-book.ts';
import { linksOfBuild } from '../../../../../src/runtime/master/workers/link-view.ts';
import type { Worker } from '../../../../../src/runtime/master/workers/roster.ts';
import { buildById, type BuildRow } from '../../../../../src/store/build-rows.ts';
import { codes } from '../../../../../src/store/codes.ts';
import {
  addLinkFacts,
  closeFormerLinks,
  newestLinkSessions,
  openLinkSession,
  updateLinkSession,
} from '../../../../../src/store/links.ts';
import { addWholeLog } from '../../../../../src/store/logs.ts';
import { startStep } from '../../../../../src/store/steps.ts';
import { openStore } from '../../../../../src/store/store.ts';
import { upsertWorker } from '../../../../../src/store/workers.ts';
import { farmRows } from '../../../../contract/store/farm.ts';
import { tempDir } from '../../../../rigs/temp-dir.ts';

/** A book over a farm whose transactions end as `change` says; with a hundred sessions in it. */
async function bookOf(change: () => Promise<void>) {
  const farm = { store: { write: () => Promise.resolve() }, change } as never as Farm;
  const steady = createSteadyClock(systemClock);
  const book = await openLinkBook({ farm, clock: systemClock, steady, log: silentLog });
  for (let workerid = 1; workerid <= 100; workerid += 1) {
    const of = { id: 's', boot: 'b', peer: '[::1]:1' };
    book.open({ workerid, name: `w${workerid}` } as Worker, {} as MasterSession, of);
  }
  return book;
}

const NO_PULSE = { pings: 0, missed: 0, minMs: null, medianMs: null, maxMs: null };
const recordOf = (number: number): LinkRecord => ({
  ...{ number, boot: 'b', at: 1, ago: 0 },
  fact: { kind: 'ended' },
});

/** A book on a store, with one session, which is told what is kept of its worker's records; `state.broken`: nothing can be written. */
async function bookOnStore(dir: string) {
  const store = await openStore('sqlite:s', { dir });
  const workerid = await store.write((tx) => upsertWorker(tx, { name: 'w1', state: 'approved', now: 1 }));
  const state = { broken: false, stored: [] as number[] };
  const change: Farm['change'] = async (act) => {
    if (state.broken) throw new Error('it cannot be written');
    return store.write((tx) => act(tx, () => undefined));
  };
  const farm = { store, change } as unknown as Farm;
  const steady = createSteadyClock(systemClock);
  const book = await openLinkBook({ farm, clock: systemClock, steady, log: silentLog });
  const session = {
    ...{ takePulse: () => NO_PULSE, traffic: {}, heardAt: 0 },
    historyStored: (number: number) => void state.stored.push(number),
  } as unknown as MasterSession;
  const page = book.open({ workerid, name: 'w1' }, session, { id: 's', boot: 'b', peer: '[::1]:1' });
  const rows = () => store.read((db) => newestLinkSessions(db, workerid, 9));
  return { store, book, page, state, rows };
}

it('keeps its pages while the store takes nothing, and asks it once for all', async () => {
  let asked = 0;
  let away = true;
  const book = await bookOf(() => {
    asked += 1;
    return away ? Promise.reject(codes['BBX-STO-AWAY']({ store: 's', problem: 'gone' })) : Promise.resolve();
  });
  await book.settled();
  expect(asked).toBe(1);
  away = false;
  await book.settled();
  expect(asked).toBe(2);
  await book.stop();
  expect(asked).toBe(2);
});

it('ends while the store takes nothing', async () => {
  let asked = 0;
  const book = await bookOf(() => {
    asked += 1;
    return Promise.reject(codes['BBX-STO-AWAY']({ store: 's', problem: 'gone' }));
  });
  await book.stop();
  const then = asked;
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(asked).toBe(then);
});

it('has the end of a session that was over before its beginning was written', async () => {
  await using dir = await tempDir();
  const { store, book, page, rows } = await bookOnStore(dir.path);
  await using _ = store;
  page.closed({ code: 1006, reason: '', by: 'nobody' });
  await book.stop();
  const [row, ...others] = await rows();
  expect(row).toMatchObject({ session: 's', code: 1006, closed_by: 'nobody' });
  expect(row?.closed_at).not.toBeNull();
  expect(others).toEqual([]);
});

it('takes records again that it could not keep, one message of a session at a time', async () => {
  await using dir = await tempDir();
  const { store, book, page, state } = await bookOnStore(dir.path);
  await using _ = store;
  await book.settled();
  state.broken = true;
  page.told([recordOf(1)]);
  page.told([recordOf(1), recordOf(2)]);
  await book.settled();
  expect(state.stored).toEqual([]);
  state.broken = false;
  page.told([recordOf(1), recordOf(2)]);
  page.told([recordOf(3)]);
  await book.settled();
  expect(state.stored).toEqual([2]);
  page.told([recordOf(3)]);
  await book.stop();
  expect(state.stored).toEqual([2, 3]);
});

it('tells a build of a link that was lost with a killed master, which had last written of it before the build', async () => {
  await using dir = await tempDir();
  await using store = await openStore('sqlite:s', { dir: dir.path });
  const workerid = await store.write((tx) => upsertWorker(tx, { name: 'w1', state: 'approved', now: 1 }));
  const open = (session: string, opened_at: number, life: string) =>
    store.write((tx) =>
      openLinkSession(tx, {
        ...{ workerid, session, life, opened_at, boot: 'b', peer: '[::1]:1', away_ms: null, ahead: 0 },
      }),
    );
  const record = (number: number, at: number, fact: { kind: string }) => ({
    ...{ boot: 'b', number, at, said_at: at, fact },
  });
  await open('s1', 1_000, 'one');
  await store.write((tx) => closeFormerLinks(tx, 'two', 'the master was killed'));
  await open('s2', 1_045, 'two');
  const down = { kind: 'down', session: 's1', by: 'nobody', code: 1006, reason: '', silentMs: 0 };
  await store.write((tx) => addLinkFacts(tx, workerid, [record(1, 1_040, down)]));
  const build = { buildid: 1, workerid, started_at: 1_030, complete_at: 1_050, results: 0 } as BuildRow;
  const links = await store.read((db) => linksOfBuild(db, build));
  expect(links).toMatchObject([{ lost_at: 1_040, back_at: 1_045, cause: 'master-restarted' }]);
});

it('tells a build why its link was gone when it began, also from what was said a minute and a half before', async () => {
  await using dir = await tempDir();
  await using store = await openStore('sqlite:s', { dir: dir.path });
  const workerid = await store.write((tx) => upsertWorker(tx, { name: 'w1', state: 'approved', now: 1 }));
  const open = (session: string, opened_at: number) =>
    store.write((tx) =>
      openLinkSession(tx, {
        ...{ workerid, session, life: 'one', opened_at, boot: 'b', peer: '[::1]:1', away_ms: null, ahead: 0 },
      }),
    );
  const linkid = await open('s1', 500);
  await store.write((tx) =>
    updateLinkSession(tx, linkid, { closed_at: 1_040, closed_by: 'nobody', code: 1006 }),
  );
  await open('s2', 1_135);
  const down = { kind: 'down', session: 's1', by: 'nobody', code: 1006, reason: '', silentMs: 0 };
  const record = { boot: 'b', number: 1, at: 1_040, said_at: 1_040, fact: down };
  await store.write((tx) => addLinkFacts(tx, workerid, [record]));
  const build = { buildid: 1, workerid, started_at: 1_130, complete_at: 1_150, results: 0 } as BuildRow;
  const links = await store.read((db) => linksOfBuild(db, build));
  expect(links).toMatchObject([{ back_at: 1_135, worker: 'the connection was gone' }]);
});

it.each([
  ['verified', 'nothing lost'],
  ['holes', 'what it cost is not known: log "stdio" of step 2 not whole'],
  ['unsaid', 'what it cost is not known: log "stdio" of step 2 not whole'],
] as const)('tells a build what its receipts say was lost: %s', async (receipt, words) => {
  await using dir = await tempDir();
  await using store = await openStore('sqlite:s', { dir: dir.path });
  const rows = farmRows(store);
  const made = await rows.build('app', 1_000);
  await store.write(async (tx) => {
    const stepid = await startStep(tx, { buildid: made.buildid, number: 2, name: 'make', at: 1_000 });
    await addWholeLog(tx, stepid, 'stdio', { bytes: 3, sha256: null, receipt });
    const { workerid } = (await buildById(tx, made.buildid))!;
    const session = { workerid, life: 'one', boot: 'b', peer: '[::1]:1', away_ms: null, ahead: 0 };
    const linkid = await openLinkSession(tx, { ...session, session: 's1', opened_at: 990 });
    await updateLinkSession(tx, linkid, { closed_at: 1_010, closed_by: 'nobody', code: 1006 });
    await openLinkSession(tx, { ...session, session: 's2', opened_at: 1_012 });
  });
  await rows.finish(made, 'success', 1_020);
  const links = await store.read(async (db) => linksOfBuild(db, (await buildById(db, made.buildid))!));
  expect(links.map((link) => link.words.split(', ').at(-1))).toEqual([words]);
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { farmRows } from './farm.ts';
import { builderRows, findBuilder, listBuilders, syncBuilders } from '../../../src/store/builders.ts';
import {
  cancelRequest,
  claimRequest,
  finishRequest,
  pendingRequests,
  requestById,
  requestRows,
  unclaimRequest,
} from '../../../src/store/buildrequests.ts';
import {
  buildById,
  buildByNumber,
  buildRows,
  newestBuild,
  unfinishedBuilds,
} from '../../../src/store/build-rows.ts';
import { submitBuildset } from '../../../src/store/buildsets.ts';
import {
  advanceSequence,
  finishBuild,
  markFound,
  markLost,
  requestCancel,
  type BuildNews,
} from '../../../src/store/builds.ts';
import { addChange, changeRows, changesOfBuildset, schedulerChanges } from '../../../src/store/changes.ts';
import {
  appendEvent,
  appendEvents,
  eventsAfter,
  lastEventId,
  pruneEvents,
} from '../../../src/store/events.ts';
import { addJoin, joinsFor, redeemJoin, revokeJoins, secretHash } from '../../../src/store/joins.ts';
import {
  FACTS_KEPT,
  SESSIONS_KEPT,
  addLinkFacts,
  closeFormerLinks,
  linkFacts,
  linkSessions,
  newestLinkSessions,
  openLinkSession,
  pruneLinks,
  trimLinks,
  updateLinkSession,
} from '../../../src/store/links.ts';
import {
  addWholeLog,
  completeLog,
  ensureLog,
  findLog,
  logsOfBuild,
  logWithContent,
  setLogSizes,
} from '../../../src/store/logs.ts';
import { getMeta, setMeta } from '../../../src/store/meta.ts';
import { pollRows, pollState, recordPoll, setPollState } from '../../../src/store/polls.ts';
import {
  addSchedulerChanges,
  forgetSchedulers,
  getSchedulerState,
  removeSchedulerChanges,
  setSchedulerState,
} from '../../../src/store/scheduler-state.ts';
import {
  addEndedStep,
  findStep,
  finishOpenSteps,
  finishStep,
  startStep,
  stepRows,
} from '../../../src/store/steps.ts';
import type { Store } from '../../../src/store/store.ts';
import {
  approveWorker,
  findWorker,
  findWorkerByKey,
  setWorkerDraining,
  setWorkerPaused,
  upsertWorker,
  workerRows,
  workerSeen,
} from '../../../src/store/workers.ts';

/** What an implementation brings: a place where a store can be opened, closed and opened again. */
export interface Place {
  open(): Promise<Store>;
  /** A second connection to the same store, as another master would have one; undefined where there can be only one. */
  openSecond: (() => Promise<Store>) | undefined;
  remove(): Promise<void>;
}

/** What every store must do, whatever database is behind it. */
export function describeStore(name: string, makePlace: () => Promise<Place>): void {
  describe(`a store on ${name}`, () => {
    let place: Place;
    let store: Store;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    describe('transactions', () => {
      it('keep what was written when the store is opened again', async () => {
        await store.write((tx) => setMeta(tx, 'colour', 'green'));
        await store.close();
        store = await place.open();
        expect(await store.read((db) => getMeta(db, 'colour'))).toBe('green');
      });

      it('leave nothing behind when the callback fails', async () => {
        const failing = store.write(async (tx) => {
          await setMeta(tx, 'colour', 'red');
          throw new Error('changed my mind');
        });
        await expect(failing).rejects.toThrow('changed my mind');
        expect(await store.read((db) => getMeta(db, 'colour'))).toBeUndefined();
      });

      it('never take a neighbour’s insert along when they are rolled back', async () => {
        const results = await Promise.allSettled(
          Array.from({ length: 40 }, (_, index) =>
            store.write(async (tx) => {
              await setMeta(tx, `a${index}`, 'x');
              await setMeta(tx, `b${index}`, 'x');
              if (index % 2 === 0) throw new Error('rolled back');
            }),
          ),
        );
        expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(20);
        const keys = await store.read((db) =>
          db.selectFrom('meta').select('key').where('value', '=', 'x').execute(),
        );
        const expected = Array.from({ length: 40 }, (_, index) => index).filter((index) => index % 2 === 1);
        expect(keys.map((row) => row.key).sort()).toEqual(
          expected.flatMap((index) => [`a${index}`, `b${index}`]).sort(),
        );
      });

      it('are not seen by readers before they are committed', async () => {
        let seen: string | undefined = 'nothing yet';
        await store.write(async (tx) => {
          await setMeta(tx, 'colour', 'green');
          seen = await store.read((db) => getMeta(db, 'colour'));
        });
        expect(seen).toBeUndefined();
        expect(await store.read((db) => getMeta(db, 'colour'))).toBe('green');
      });

      it('are dead after their callback: a forgotten await cannot write into the next one', async () => {
        let escaped: ((value: string) => Promise<void>) | undefined;
        await store.write(async (tx) => {
          escaped = (value) => setMeta(tx, 'late', value);
          await setMeta(tx, 'colour', 'green');
        });
        await expect(escaped?.('now')).rejects.toThrow();
        expect(await store.read((db) => getMeta(db, 'late'))).toBeUndefined();
      });

      it('are refused after the store is closed', async () => {
        await store.close();
        await expect(store.write((tx) => setMeta(tx, 'a', 'b'))).rejects.toMatchObject({
          code: 'BBX-STO-CLOSED',
        });
        await expect(store.read((db) => getMeta(db, 'a'))).rejects.toMatchObject({ code: 'BBX-STO-CLOSED' });
      });
    });

    it('keeps its epoch from start to start, and changes it only when asked', async () => {
      const { epoch } = store;
      expect(epoch).toMatch(/^[0-9a-f]{32}$/);
      await store.close();
      store = await place.open();
      expect(store.epoch).toBe(epoch);
      const renewed = await store.newEpoch();
      expect(renewed).not.toBe(epoch);
      expect(store.epoch).toBe(renewed);
      await store.close();
      store = await place.open();
      expect(store.epoch).toBe(renewed);
    });

    it('follows the configuration’s builders and keeps the numbers of those that come back', async () => {
      expect(await store.write((tx) => syncBuilders(tx, ['b', 'a']))).toEqual({
        added: ['b', 'a'],
        activated: [],
        deactivated: [],
      });
      const farm = farmRows(store);
      await farm.build('a');
      expect(await store.write((tx) => syncBuilders(tx, ['b', 'c']))).toEqual({
        added: ['c'],
        activated: [],
        deactivated: ['a'],
      });
      expect((await store.read(listBuilders)).map(({ name, active }) => [name, active])).toEqual([
        ['a', false],
        ['b', true],
        ['c', true],
      ]);
      expect((await store.write((tx) => syncBuilders(tx, ['a', 'b', 'c']))).activated).toEqual(['a']);
      expect((await farm.build('a')).number).toBe(2);
      expect(await store.read((db) => findBuilder(db, 'z'))).toBeUndefined();
    });

    it('counts pending and running for each builder and knows its last finished build', async () => {
      const farm = farmRows(store);
      await farm.builders('a', 'b');
      const first = await farm.build('a');
      await farm.finish(first, 'failure', 200);
      const second = await farm.build('a');
      await farm.request('a');
      await farm.request('a');
      const [a, b] = await store.read((db) => builderRows(db));
      expect(a).toMatchObject({ name: 'a', pending: 2, running: 1 });
      expect(a?.last).toEqual({ buildid: first.buildid, number: 1, results: 2, complete_at: 200 });
      expect(b).toMatchObject({ name: 'b', pending: 0, running: 0, last: null });
      await farm.finish(second, 'success', 300);
      expect(await store.read((db) => builderRows(db, { name: 'a' }))).toMatchObject([
        { running: 0, last: { number: 2, results: 0 } },
      ]);
    });

    it('takes workers in, approves them and remembers when they were seen', async () => {
      const now = 100;
      await store.write((tx) => upsertWorker(tx, { name: 'w1', state: 'pending', publicKey: 'KEY', now }));
      expect(await store.write((tx) => approveWorker(tx, 'w2'))).toBe(false);
      expect(await store.write((tx) => approveWorker(tx, 'w1'))).toBe(true);
      expect(await store.write((tx) => approveWorker(tx, 'w1'))).toBe(false);
      await store.write((tx) => setWorkerPaused(tx, 'w1', true));
      await store.write((tx) =>
        workerSeen(tx, 'w1', { at: 101.5, peer: '[::1]:4711', info: { maxBuilds: 2 } }),
      );
      await store.write((tx) => workerSeen(tx, 'w1', { at: 102 }));
      expect(await store.read((db) => findWorker(db, 'w1'))).toEqual({
        workerid: 1,
        name: 'w1',
        state: 'approved',
        public_key: 'KEY',
        paused: true,
        info: { maxBuilds: 2 },
        last_peer: '[::1]:4711',
        last_seen_at: 102,
        created_at: 100,
        draining_boot: null,
      });
      expect((await store.read((db) => findWorkerByKey(db, 'KEY')))?.name).toBe('w1');
      // A state without a key leaves the key.
      await store.write((tx) => upsertWorker(tx, { name: 'w1', state: 'removed', now }));
      expect(await store.read((db) => workerRows(db))).toMatchObject([
        { name: 'w1', state: 'removed', public_key: 'KEY', running: 0 },
      ]);
    });

    describe('join secrets', () => {
      const hash = secretHash('s3cret');
      const redeem = (name: string, publicKey: string, now = 10, secret = hash) =>
        store.write((tx) => redeemJoin(tx, { secretHash: secret, name, publicKey, now }));
      const add = (names: string, uses: number) =>
        store.write((tx) => addJoin(tx, { secretHash: hash, names, uses, expiresAt: 100, now: 1 }));

      it('let one key in, and the same key again until they expire', async () => {
        const joinid = await add('w1', 1);
        expect(await redeem('w1', 'A')).toEqual({ ok: true, joinid, again: false });
        expect(await redeem('w1', 'A', 99)).toEqual({ ok: true, joinid, again: true });
        expect(await redeem('w1', 'B')).toEqual({ ok: false, reason: 'taken' });
        expect(await redeem('w1', 'A', 100)).toEqual({ ok: false, reason: 'expired' });
        expect(await redeem('w1', 'A', 10, secretHash('other'))).toEqual({ ok: false, reason: 'unknown' });
      });

      it('count their uses and keep to their names', async () => {
        await add('vps-*', 2);
        expect(await redeem('web-1', 'A')).toEqual({ ok: false, reason: 'names' });
        expect(await redeem('vps-1', 'A')).toMatchObject({ ok: true });
        expect(await store.read((db) => joinsFor(db, 'vps-*', 10))).toMatchObject([
          { names: 'vps-*', uses: 2, used: 1 },
        ]);
        expect(await redeem('vps-2', 'B')).toMatchObject({ ok: true });
        expect(await redeem('vps-3', 'C')).toEqual({ ok: false, reason: 'used' });
        expect(await redeem('vps-1', 'A')).toMatchObject({ ok: true, again: true });
        expect(await store.read((db) => joinsFor(db, 'vps-*', 100))).toEqual([]);
      });

      it('are given to no more than their number by two at the same time', async () => {
        await add('*', 3);
        const all = await Promise.all(
          Array.from({ length: 10 }, (_, index) => redeem(`w${index}`, `K${index}`)),
        );
        expect(all.filter((answer) => answer.ok)).toHaveLength(3);
      });

      it('are worthless after they were revoked', async () => {
        await add('w1', 1);
        expect(await store.write((tx) => revokeJoins(tx, 'w1'))).toBe(1);
        expect(await redeem('w1', 'A')).toEqual({ ok: false, reason: 'unknown' });
      });
    });

    it('finds changes by repository, branch and the beginning of a revision, newest first', async () => {
      const farm = farmRows(store);
      const first = await farm.change({ branch: 'main', revision: 'a'.repeat(40) });
      const second = await farm.change({ branch: 'main', revision: 'b'.repeat(40) });
      const third = await farm.change({ branch: 'next', revision: `${'a'.repeat(39)}b` });
      const ids = async (filter: Parameters<typeof changeRows>[1], limit = 10, offset = 0) =>
        (await store.read((db) => changeRows(db, filter, { limit, offset }))).map((row) => row.changeid);
      expect(await ids({})).toEqual([third, second, first]);
      expect(await ids({}, 1, 1)).toEqual([second]);
      expect(await ids({ repository: 'https://r.example/x', branch: 'main' })).toEqual([second, first]);
      expect(await ids({ revision: 'aaaaaaaa' })).toEqual([third, first]);
      expect(await ids({ revision: 'a'.repeat(40) })).toEqual([first]);
      expect(await ids({ repository: 'elsewhere' })).toEqual([]);
      const [row] = await store.read((db) => changeRows(db, { branch: 'next' }, { limit: 1 }));
      expect(row).toMatchObject({ files: ['a.c', 'b/ü.c'], properties: { n: 1, t: true, none: null } });
    });

    it('remembers where branches stood and how polls ended', async () => {
      const look = () => store.read((db) => pollState(db, 'r'));
      expect([...(await look())]).toEqual([]);
      await store.write((tx) =>
        setPollState(
          tx,
          'r',
          new Map([
            ['main', '1'],
            ['old', '1'],
          ]),
        ),
      );
      await store.write((tx) =>
        setPollState(
          tx,
          'r',
          new Map([
            ['main', '2'],
            ['new', '1'],
          ]),
        ),
      );
      expect([...(await look())].sort()).toEqual([
        ['main', '2'],
        ['new', '1'],
      ]);
      await store.write((tx) => recordPoll(tx, 'r', 5, { code: 'BBX-NET-REFUSED' }));
      expect(await store.read((db) => pollRows(db))).toEqual([
        { repository: 'r', polled_at: 5, error: { code: 'BBX-NET-REFUSED' } },
      ]);
      await store.write((tx) => recordPoll(tx, 'r', 6, null));
      expect(await store.read((db) => pollRows(db, { repository: 'r' }))).toMatchObject([{ error: null }]);
    });

    it('keeps a scheduler’s memory and its waiting changes', async () => {
      const farm = farmRows(store);
      const change = await farm.change({});
      expect(await store.read((db) => getSchedulerState(db, 's'))).toBeUndefined();
      await store.write((tx) => setSchedulerState(tx, 's', { last: 1 }));
      await store.write((tx) => setSchedulerState(tx, 's', { last: 2 }));
      await store.write((tx) => addSchedulerChanges(tx, 's', [change, change]));
      await store.write((tx) => addSchedulerChanges(tx, 's', [change]));
      expect(await store.read((db) => getSchedulerState(db, 's'))).toEqual({ last: 2 });
      expect((await store.read((db) => schedulerChanges(db, 's'))).map((row) => row.changeid)).toEqual([
        change,
      ]);
      await store.write((tx) => removeSchedulerChanges(tx, 's', [change]));
      expect(await store.read((db) => schedulerChanges(db, 's'))).toEqual([]);
      await store.write((tx) => addSchedulerChanges(tx, 'other', [change]));
      expect((await store.write((tx) => forgetSchedulers(tx, ['x']))).sort()).toEqual(['other', 's']);
      expect(await store.read((db) => getSchedulerState(db, 's'))).toBeUndefined();
    });

    describe('requests', () => {
      it('wait in the order of priority, then of age, without those of removed builders', async () => {
        const farm = farmRows(store);
        await farm.builders('a', 'b', 'gone');
        const low = await farm.request('a', { priority: 0, now: 1 });
        const high = await farm.request('b', { priority: 5, now: 3 });
        const older = await farm.request('a', { priority: 5, now: 2 });
        await farm.request('gone');
        await farm.builders('a', 'b');
        const pending = await store.read((db) => pendingRequests(db, 10));
        expect(pending.map((row) => row.buildrequestid)).toEqual([older, high, low]);
        expect(pending[0]).toMatchObject({ builder: 'a', reason: 'because', branch: 'main', attempts: 0 });
      });

      it('are won by one claim only', async () => {
        const farm = farmRows(store);
        const request = await farm.request('a');
        const claims = await Promise.all(
          Array.from({ length: 8 }, () => store.write((tx) => claimRequest(tx, request, 5))),
        );
        expect(claims.filter(Boolean)).toHaveLength(1);
        expect(await store.write((tx) => unclaimRequest(tx, request))).toBe(1);
        expect(await store.write((tx) => unclaimRequest(tx, request))).toBeUndefined();
        expect(await store.write((tx) => claimRequest(tx, request, 6))).toBe(true);
        expect(await store.write((tx) => unclaimRequest(tx, request, { count: false }))).toBe(1);
      });

      it('are won by one of two masters only', async () => {
        if (place.openSecond === undefined) return;
        await using other = await place.openSecond();
        const farm = farmRows(store);
        for (let round = 0; round < 20; round += 1) {
          const request = await farm.request('a');
          const claims = await Promise.all(
            [store, other].map((one) => one.write((tx) => claimRequest(tx, request, 5))),
          );
          expect(claims.filter(Boolean)).toHaveLength(1);
        }
      });

      it('complete their buildset with the worst result when the last one ends', async () => {
        const farm = farmRows(store);
        await farm.builders('a', 'b');
        const [a, b] = await farm.requests(['a', 'b']);
        expect(await store.write((tx) => finishRequest(tx, a, 'warnings', 7))).toMatchObject({
          buildset: undefined,
        });
        const last = await store.write((tx) => finishRequest(tx, b, 'failure', 8));
        expect(last?.buildset).toBe('failure');
        expect(await store.write((tx) => finishRequest(tx, b, 'success', 9))).toBeUndefined();
        const set = await store.read((db) =>
          db
            .selectFrom('buildsets')
            .selectAll()
            .where('buildsetid', '=', last!.buildsetid)
            .executeTakeFirst(),
        );
        expect(set).toMatchObject({ complete_at: 8, results: 2, properties_json: '{"p":1}' });
      });

      it('can be cancelled while they wait, and not while they are built', async () => {
        const farm = farmRows(store);
        const request = await farm.request('a');
        expect(await store.write((tx) => cancelRequest(tx, request, { reason: '', at: 5 }))).toMatchObject({
          buildset: 'cancelled',
        });
        expect(await store.read((db) => requestById(db, request))).toMatchObject({ results: 6, builds: [] });
        const build = await farm.build('a');
        expect(
          await store.write((tx) => cancelRequest(tx, build.request, { reason: '', at: 5 })),
        ).toBeUndefined();
      });

      it('are listed newest first with their builds', async () => {
        const farm = farmRows(store);
        await farm.builders('a', 'b');
        const first = await farm.build('a');
        const second = await farm.request('b');
        const rows = await store.read((db) => requestRows(db, {}, { limit: 10 }));
        expect(rows.map((row) => row.buildrequestid)).toEqual([second, first.request]);
        expect(rows[1]?.builds).toEqual([{ buildid: first.buildid, number: 1, results: null }]);
        const only = await store.read((db) =>
          requestRows(db, { builder: 'b', complete: false }, { limit: 10 }),
        );
        expect(only.map((row) => row.builder)).toEqual(['b']);
        expect(await store.read((db) => requestRows(db, { complete: true }, { limit: 10 }))).toEqual([]);
      });

      it('answer the changes that they were made for', async () => {
        const farm = farmRows(store);
        const change = await farm.change({});
        const [builderid] = await farm.builders('a');
        const { buildsetid } = await store.write((tx) =>
          submitBuildset(tx, {
            reason: 'push',
            scheduler: 's',
            repository: 'r',
            branch: null,
            revision: null,
            properties: {},
            changeids: [change],
            builderids: [builderid as number],
            priority: 0,
            now: 1,
          }),
        );
        const changes = await store.read((db) => changesOfBuildset(db, buildsetid));
        expect(changes.map((row) => row.changeid)).toEqual([change]);
      });
    });

    describe('builds', () => {
      it('count up for each builder and are found by id, by number and as the newest', async () => {
        const farm = farmRows(store);
        await farm.builders('a', 'b');
        const first = await farm.build('a');
        const other = await farm.build('b');
        const second = await farm.build('a');
        expect([first.number, other.number, second.number]).toEqual([1, 1, 2]);
        expect(first.token).toMatch(/^1-[0-9a-f]{16}$/);
        expect(first.plan.number).toBe(1);
        const row = await store.read((db) => buildById(db, second.buildid));
        expect(row).toMatchObject({
          builder: 'a',
          worker: 'w1',
          number: 2,
          reason: 'because',
          branch: 'main',
          sequence: 0,
          complete_at: null,
          properties: { p: 1 },
        });
        expect(await store.read((db) => buildByNumber(db, 'a', 2))).toEqual(row);
        expect(await store.read((db) => newestBuild(db, 'a'))).toEqual(row);
        expect(await store.read((db) => buildByNumber(db, 'a', 3))).toBeUndefined();
      });

      it('take each progress event once and in order', async () => {
        const { buildid } = await farmRows(store).build('a');
        const advance = (stored: number, to: number) =>
          store.write((tx) => advanceSequence(tx, buildid, stored, to));
        expect(await advance(0, 1)).toBe(true);
        expect(await advance(0, 1)).toBe(false);
        expect(await advance(2, 3)).toBe(false);
        expect(await advance(1, 4)).toBe(true);
        expect((await store.read((db) => buildById(db, buildid)))?.sequence).toBe(4);
      });

      it('take with their progress what it brings, to the end, and nothing of what came twice', async () => {
        const { buildid } = await farmRows(store).build('a');
        const advance = (stored: number, to: number, news: BuildNews) =>
          store.write((tx) => advanceSequence(tx, buildid, stored, to, news));
        const row = () => store.read((db) => buildById(db, buildid));
        expect(await advance(0, 1, { state: 'running', properties: { p: 2 } })).toBe(true);
        expect(await advance(1, 2, {})).toBe(true);
        expect(await row()).toMatchObject({ state_string: 'running', properties: { p: 2 }, results: null });
        await store.write((tx) => markLost(tx, [buildid], 60));
        const end = { result: 'failure', state: 'failed', at: 9 } as const;
        expect(await advance(1, 3, { end })).toBe(false);
        expect(await advance(2, 3, { properties: { got_revision: 'abc' }, end })).toBe(true);
        expect(await advance(3, 4, { end: { ...end, result: 'success' } })).toBe(false);
        expect(await row()).toMatchObject({
          ...{ sequence: 3, state_string: 'failed', results: 2, complete_at: 9, lost_at: null },
          properties: { got_revision: 'abc' },
        });
      });

      it('are lost and found, and come with their plan when a master starts', async () => {
        const farm = farmRows(store);
        const running = await farm.build('a');
        const done = await farm.build('a');
        await farm.finish(done, 'success', 50);
        await store.write((tx) => markLost(tx, [running.buildid, done.buildid], 60));
        await store.write((tx) => markLost(tx, [running.buildid], 70));
        const lost = await store.read(unfinishedBuilds);
        expect(lost).toMatchObject([
          { buildid: running.buildid, lost_at: 60, plan: { builder: 'a', number: 1 } },
        ]);
        await store.write((tx) => markFound(tx, [running.buildid]));
        expect((await store.read(unfinishedBuilds))[0]?.lost_at).toBeNull();
      });

      it('end once, and keep the first reason to stop them', async () => {
        const { buildid } = await farmRows(store).build('a');
        expect(await store.write((tx) => requestCancel(tx, buildid, 'enough'))).toBe(true);
        expect(await store.write((tx) => requestCancel(tx, buildid, 'again'))).toBe(true);
        const end = { result: 'cancelled', state: 'cancelled: enough', at: 9 } as const;
        expect(await store.write((tx) => finishBuild(tx, buildid, end))).toBe(true);
        expect(await store.write((tx) => finishBuild(tx, buildid, { ...end, result: 'success' }))).toBe(
          false,
        );
        expect(await store.write((tx) => requestCancel(tx, buildid, 'late'))).toBe(false);
        expect(await store.read((db) => buildById(db, buildid))).toMatchObject({
          results: 6,
          complete_at: 9,
          state_string: 'cancelled: enough',
          cancel_reason: 'enough',
        });
      });

      it('are listed by builder, worker and state, newest first, page by page', async () => {
        const farm = farmRows(store);
        await farm.builders('a', 'b');
        const made = [];
        for (const builder of ['a', 'b', 'a', 'a']) made.push(await farm.build(builder));
        await farm.finish(made[0] as (typeof made)[0], 'success', 5);
        const ids = async (filter: Parameters<typeof buildRows>[1], limit = 10, offset = 0) =>
          (await store.read((db) => buildRows(db, filter, { limit, offset }))).map((row) => row.buildid);
        const [one, two, three, four] = made.map((build) => build.buildid);
        expect(await ids({})).toEqual([four, three, two, one]);
        expect(await ids({ builder: 'a' })).toEqual([four, three, one]);
        expect(await ids({ builder: 'a' }, 1, 1)).toEqual([three]);
        expect(await ids({ complete: true })).toEqual([one]);
        expect(await ids({ complete: false, worker: 'w1' }, 2)).toEqual([four, three]);
        expect(await ids({ worker: 'nobody' })).toEqual([]);
        expect(await ids({ builder: 'nobody' })).toEqual([]);
      });

      it('have steps with logs, begun once and ended once', async () => {
        const { buildid } = await farmRows(store).build('a');
        const begin = (number: number, name: string) =>
          store.write((tx) => startStep(tx, { buildid, number, name, at: 2 }));
        const first = await begin(0, 'compile');
        expect(await begin(0, 'compile')).toBe(first);
        const second = await begin(1, 'test');
        const stdio = await store.write((tx) => ensureLog(tx, first, 'stdio'));
        expect(await store.write((tx) => ensureLog(tx, first, 'stdio'))).toBe(stdio);
        await store.write((tx) => setLogSizes(tx, [[stdio, 100]]));
        await store.write((tx) => setLogSizes(tx, [[stdio, 50]]));
        expect(await store.read((db) => logsOfBuild(db, buildid))).toMatchObject([
          { logid: stdio, step: 0, name: 'stdio', bytes: 100, complete: false },
        ]);
        await store.write((tx) => completeLog(tx, stdio, { bytes: 120, sha256: 'ff' }));
        await store.write((tx) => setLogSizes(tx, [[stdio, 500]]));
        expect(await store.read((db) => findLog(db, first, 'stdio'))).toMatchObject({
          bytes: 120,
          complete: true,
        });
        const end = { result: 'failure', state: 'failed (2)', rc: 2, signal: null, at: 3 } as const;
        expect(await store.write((tx) => finishStep(tx, first, end))).toBe(true);
        expect(await store.write((tx) => finishStep(tx, first, end))).toBe(false);
        await store.write((tx) =>
          finishOpenSteps(tx, buildid, { result: 'exception', state: 'lost', at: 4 }),
        );
        const rows = await store.read((db) => stepRows(db, buildid));
        expect(rows.map((row) => [row.number, row.results, row.logs.length])).toEqual([
          [0, 2, 1],
          [1, 4, 0],
        ]);
        expect((await store.read((db) => findStep(db, buildid, 'test')))?.stepid).toBe(second);
        expect((await store.read((db) => findStep(db, buildid, 0)))?.logs[0]?.name).toBe('stdio');
        expect(await store.read((db) => findStep(db, buildid, 7))).toBeUndefined();
      });

      it('have steps and logs that come with their end, also where they were begun before', async () => {
        const { buildid } = await farmRows(store).build('a');
        const step = { buildid, name: 'compile', startedAt: 2 };
        const end = { result: 'failure', state: 'failed (2)', rc: 2, signal: null, at: 3 } as const;
        const begun = await store.write((tx) => startStep(tx, { buildid, number: 1, name: 'x', at: 1 }));
        const log = await store.write((tx) => ensureLog(tx, begun, 'stdio'));
        for (const number of [0, 1]) {
          const stepid = await store.write((tx) => addEndedStep(tx, { ...step, number }, end));
          const logid = await store.write((tx) =>
            addWholeLog(tx, stepid, 'stdio', { bytes: 1, sha256: 'ff', content: '[]', lines: 1, cut: 7 }),
          );
          if (number === 1) expect([stepid, logid]).toEqual([begun, log]);
          expect(await store.read((db) => logWithContent(db, logid))).toMatchObject({
            ...{ stepid, bytes: 1, complete: true, sha256: 'ff', content: '[]', lines: 1, cut: 7 },
          });
          expect(await store.read((db) => findStep(db, buildid, number))).toMatchObject({
            ...{
              name: 'compile',
              complete_at: 3,
              results: 2,
              state_string: 'failed (2)',
              rc: 2,
              signal: null,
            },
          });
        }
      });
    });

    describe('the history of links', () => {
      const session = (workerid: number, at: number, life = 'life-1') => ({
        ...{ workerid, session: `s${at}`, life, boot: 'b1', peer: '[::1]:5', opened_at: at },
        ...{ away_ms: null, ahead: -3_600.25 },
      });
      const addWorker = (store: Store) =>
        store.write((tx) => upsertWorker(tx, { name: 'w1', state: 'approved', now: 1 }));

      it('has a row for each session, which says how it ended', async () => {
        await using store = await place.open();
        const workerid = await addWorker(store);
        const linkid = await store.write((tx) => openLinkSession(tx, session(workerid, 10)));
        await store.write((tx) =>
          updateLinkSession(tx, linkid, {
            ...{ closed_at: 20.5, seen_at: 20.5, silent_ms: 35_000, code: 4003, reason: 'silent' },
            ...{
              closed_by: 'nobody',
              rtt_ms: 0.7,
              rtt_max_ms: 9,
              pings: 4,
              missed: 2,
              received: 2 ** 40,
              sent: 1,
            },
          }),
        );
        await store.write((tx) => openLinkSession(tx, session(workerid, 30)));
        const rows = await store.read((db) => linkSessions(db, workerid, { from: 15, limit: 10 }));
        expect(rows).toMatchObject([
          { linkid, closed_at: 20.5, silent_ms: 35_000, missed: 2, received: 2 ** 40, ahead: -3_600.25 },
          { opened_at: 30, closed_at: null, code: null },
        ]);
        expect(await store.read((db) => linkSessions(db, workerid, { from: 25, limit: 10 }))).toHaveLength(1);
        expect((await store.read((db) => newestLinkSessions(db, workerid, 1)))[0]?.opened_at).toBe(30);
      });

      it('ends what a killed master has left open, when it last wrote about it', async () => {
        await using store = await place.open();
        const workerid = await addWorker(store);
        const old = await store.write((tx) => openLinkSession(tx, session(workerid, 10)));
        await store.write((tx) => updateLinkSession(tx, old, { seen_at: 60 }));
        await store.write((tx) => openLinkSession(tx, session(workerid, 70, 'life-2')));
        await store.write((tx) => closeFormerLinks(tx, 'life-2', 'the master was killed'));
        expect(await store.read((db) => newestLinkSessions(db, workerid, 9))).toMatchObject([
          { closed_at: 60, closed_by: 'master', reason: 'the master was killed' },
          { closed_at: null },
        ]);
      });

      it('keeps a worker’s record once, in the order of time', async () => {
        await using store = await place.open();
        const workerid = await addWorker(store);
        const fact = (number: number, at: number, boot = 'b1') => ({
          ...{ boot, number, at, said_at: at - 3_600 },
          fact: { kind: 'clock', by: number },
        });
        await store.write((tx) => addLinkFacts(tx, workerid, [fact(2, 20), fact(1, 10)]));
        await store.write((tx) => addLinkFacts(tx, workerid, [fact(2, 99), fact(2, 15, 'b2')]));
        const rows = await store.read((db) => linkFacts(db, workerid, { from: 0, to: 50, limit: 9 }));
        expect(rows.map(({ at, boot, fact: { by } }) => [at, boot, by])).toEqual([
          [10, 'b1', 1],
          [15, 'b2', 2],
          [20, 'b1', 2],
        ]);
      });

      it('is bounded by age, and for each worker by number', async () => {
        await using store = await place.open();
        const workerid = await addWorker(store);
        await store.write(async (tx) => {
          for (let at = 1; at <= SESSIONS_KEPT + 5; at += 1) {
            const linkid = await openLinkSession(tx, session(workerid, at));
            await updateLinkSession(tx, linkid, { closed_at: at });
          }
          const facts = Array.from({ length: FACTS_KEPT + 7 }, (_, index) => ({
            ...{ boot: 'b', number: index + 1, at: index + 1, said_at: 0, fact: { kind: 'ended' } },
          }));
          await addLinkFacts(tx, workerid, facts);
          await trimLinks(tx, workerid);
        });
        const sessions = await store.read((db) => linkSessions(db, workerid, { from: 0, limit: 9_999 }));
        expect(sessions).toHaveLength(SESSIONS_KEPT);
        expect(sessions[0]?.opened_at).toBe(6);
        const facts = await store.read((db) => linkFacts(db, workerid, { from: 0, to: 1e9, limit: 9_999 }));
        expect(facts).toHaveLength(FACTS_KEPT);
        expect(facts[0]?.at).toBe(8);
        await store.write((tx) => pruneLinks(tx, 100, 9_999));
        const left = await store.read((db) => linkFacts(db, workerid, { from: 0, to: 1e9, limit: 9_999 }));
        expect(left[0]?.at).toBe(100);
        expect(
          (await store.read((db) => linkSessions(db, workerid, { from: 0, limit: 1 })))[0]?.opened_at,
        ).toBe(100);
      });
    });

    it('remembers which process of a worker was asked to drain', async () => {
      await using store = await place.open();
      await store.write((tx) => upsertWorker(tx, { name: 'w1', state: 'approved', now: 1 }));
      await store.write((tx) => setWorkerDraining(tx, 'w1', 'boot-1'));
      expect((await store.read((db) => findWorker(db, 'w1')))?.draining_boot).toBe('boot-1');
      await store.write((tx) => setWorkerDraining(tx, 'w1', null));
      expect((await store.read((db) => findWorker(db, 'w1')))?.draining_boot).toBeNull();
    });

    it('gives events in order from any position, and never uses a position twice', async () => {
      const append = (type: string, at: number) =>
        store.write((tx) => appendEvent(tx, { at, type, payload: { type } }));
      expect(await store.read(lastEventId)).toBe(0);
      const first = await append('a', 1);
      const second = await append('b', 2);
      expect(await store.read((db) => eventsAfter(db, first, 10))).toEqual([
        { eventid: second, at: 2, type: 'b', payload: { type: 'b' } },
      ]);
      expect(await store.write((tx) => pruneEvents(tx, 10, 1))).toBe(1);
      expect(await store.write((tx) => pruneEvents(tx, 10, 10))).toBe(1);
      expect(await append('c', 3)).toBeGreaterThan(second);
    });

    it('appends many events in their order, each with the position that it is given', async () => {
      const events = Array.from({ length: 20 }, (_, at) => ({ at, type: `t${at}`, payload: { at } }));
      const ids = await store.write((tx) => appendEvents(tx, events));
      const rows = await store.read((db) => eventsAfter(db, 0, 100));
      expect(rows).toEqual(events.map((event, index) => ({ eventid: ids[index], ...event })));
      expect(await store.write((tx) => appendEvents(tx, []))).toEqual([]);
    });

    it('adds the event only when the rows it tells of are added', async () => {
      const failing = store.write(async (tx) => {
        await addChange(tx, {
          repository: 'r',
          branch: 'b',
          revision: '1',
          author: '',
          comments: '',
          files: [],
          when_timestamp: 1,
          received_at: 1,
          properties: {},
        });
        await appendEvent(tx, { at: 1, type: 'change.added', payload: {} });
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await store.read(lastEventId)).toBe(0);
      expect(await store.read((db) => changeRows(db, {}, { limit: 1 }))).toEqual([]);
    });
  });
}

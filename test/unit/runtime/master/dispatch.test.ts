import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import type { MasterConfig } from '../../../../src/config/master.ts';
import type { Builds } from '../../../../src/runtime/master/builds.ts';
import { createDispatcher } from '../../../../src/runtime/master/dispatch.ts';
import type { Farm } from '../../../../src/runtime/master/events.ts';
import type { Candidate } from '../../../../src/runtime/master/match.ts';
import type { Roster } from '../../../../src/runtime/master/workers/roster.ts';

it('a request that is submitted while a reload reads what waits still waits afterwards', async () => {
  const rows = Promise.withResolvers<unknown>();
  const dispatcher = createDispatcher({
    farm: { store: { read: () => rows.promise } } as unknown as Farm,
    roster: {} as Roster,
    builds: {} as Builds,
    config: () => ({}) as MasterConfig,
    now: () => systemClock.wall(),
    log: silentLog,
  });
  const loading = dispatcher.load();
  dispatcher.add(1, { id: 8, priority: 0, submittedAt: 2 });
  const before = { buildrequestid: 7, builderid: 1, priority: 0, submitted_at: 1 };
  rows.resolve({ builders: [{ builderid: 1, name: 'app' }], pending: [before] });
  await loading;
  expect(dispatcher.waiting.of(1).map(({ id }) => id)).toEqual([7, 8]);
  await dispatcher.stop();
});

it('a request that lost its build waits again, also when the store could not be read at once', async () => {
  let tries = 0;
  const row = {
    buildrequestid: 7,
    builderid: 1,
    priority: 0,
    submitted_at: 1,
    claimed_at: null,
    complete_at: null,
  };
  const read = () => ((tries += 1) === 1 ? Promise.reject(new Error('busy')) : Promise.resolve(row));
  const dispatcher = createDispatcher({
    farm: { store: { read } } as unknown as Farm,
    roster: { candidates: () => [] } as unknown as Roster,
    builds: {} as Builds,
    config: () => ({ builders: {} }) as MasterConfig,
    now: () => systemClock.wall(),
    log: silentLog,
  });
  dispatcher.requeue({ requestid: 7 } as never);
  await expect.poll(() => dispatcher.waiting.has(7), { timeout: 5_000 }).toBe(true);
  await dispatcher.stop();
});

it('a round that waits for its turn to write begins nothing when the master drains meanwhile', async () => {
  const turn = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const claimed = vi.fn();
  const change: Farm['change'] = async (act) => {
    asked.resolve();
    await turn.promise;
    return act({ getExecutor: claimed } as never, () => undefined);
  };
  const pending = [{ buildrequestid: 7, builderid: 1, priority: 0, submitted_at: 1 }];
  const read = async () => ({ builders: [{ builderid: 1, name: 'app' }], pending });
  const worker: Candidate = {
    ...{ name: 'w', state: 'approved', connected: true, seenAt: 1, paused: false, draining: false },
    ...{ resting: false, refusedWhy: null, tags: [], maxBuilds: 1, building: new Set<string>() },
  };
  const dispatcher = createDispatcher({
    farm: { store: { read }, change } as unknown as Farm,
    roster: { candidates: () => [worker], get: () => undefined } as unknown as Roster,
    builds: {} as Builds,
    config: () => ({ builders: { app: { workers: {} } } }) as unknown as MasterConfig,
    now: () => systemClock.wall(),
    log: silentLog,
  });
  await dispatcher.load();
  dispatcher.nudge();
  await asked.promise;
  dispatcher.drain();
  turn.resolve();
  await dispatcher.stop();
  expect(claimed).not.toHaveBeenCalled();
});

describe('builds that begin in the transaction that ends others', () => {
  function idleDispatcher() {
    return createDispatcher({
      farm: { store: {} } as unknown as Farm,
      roster: { candidates: () => [] } as unknown as Roster,
      builds: {} as Builds,
      config: () => ({}) as MasterConfig,
      now: () => systemClock.wall(),
      log: silentLog,
    });
  }

  it('are looked for by one at a time, and a nudge that comes meanwhile is answered afterwards', async () => {
    const dispatcher = idleDispatcher();
    const rounds = vi.spyOn(dispatcher.waiting, 'builders');
    const next = dispatcher.next();
    expect(next).toBeDefined();
    expect(dispatcher.next()).toBeUndefined();
    dispatcher.nudge();
    await new Promise((resolve) => setImmediate(resolve));
    expect(rounds).not.toHaveBeenCalled();
    next!.release();
    await expect.poll(() => rounds.mock.calls.length).toBe(1);
    await dispatcher.stop();
  });

  it('are not looked for while a round is under way, nor when nothing more may start', async () => {
    const dispatcher = idleDispatcher();
    dispatcher.nudge();
    expect(dispatcher.next()).toBeUndefined();
    await expect.poll(() => dispatcher.next() !== undefined).toBe(true);
    const drained = idleDispatcher();
    drained.drain();
    expect(drained.next()).toBeUndefined();
    await dispatcher.stop();
    await drained.stop();
  });

  it('do not begin when the master began to drain while their transaction waited for its turn', async () => {
    const dispatcher = idleDispatcher();
    const looked = vi.spyOn(dispatcher.waiting, 'builders');
    const next = dispatcher.next()!;
    dispatcher.drain();
    await next.claim({} as never, () => undefined, new Set([1]));
    expect(looked).not.toHaveBeenCalled();
    next.begin();
    next.release();
    await dispatcher.stop();
  });
});

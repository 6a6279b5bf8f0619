import { expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import type { MasterConfig } from '../../../../src/config/master.ts';
import type { Builds } from '../../../../src/runtime/master/builds.ts';
import { createDispatcher } from '../../../../src/runtime/master/dispatch.ts';
import type { Farm } from '../../../../src/runtime/master/events.ts';
import type { Roster } from '../../../../src/runtime/master/workers/roster.ts';

it('a request that is submitted while a reload reads what waits still waits afterwards', async () => {
  const rows = Promise.withResolvers<unknown>();
  const dispatcher = createDispatcher({
    farm: { store: { read: () => rows.promise } } as unknown as Farm,
    roster: {} as Roster,
    builds: {} as Builds,
    config: () => ({}) as MasterConfig,
    clock: systemClock,
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
    clock: systemClock,
    log: silentLog,
  });
  dispatcher.requeue({ requestid: 7 } as never);
  await expect.poll(() => dispatcher.waiting.has(7), { timeout: 5_000 }).toBe(true);
  await dispatcher.stop();
});

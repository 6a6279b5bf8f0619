import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import type { MasterConfig } from '../../../../src/config/master.ts';
import { createStatus, type MasterFacts } from '../../../../src/runtime/master/status.ts';
import { createTroubleList } from '../../../../src/runtime/master/trouble.ts';
import { createRoster } from '../../../../src/runtime/master/workers/roster.ts';
import type { Store } from '../../../../src/store/store.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Whoever asks gives up after this. */
const CLIENT_MS = 10_000;

it('answers in time while a read waits for a database that has just gone, and says of when its lists are', async () => {
  const clock = { wall: () => 1_700_000_000, monotonic: () => 0 };
  let away = false;
  const store = {
    read: () => (away ? new Promise(() => undefined) : Promise.resolve({ running: [], pending: [] })),
  };
  const status = createStatus({
    store: store as unknown as Store,
    roster: createRoster({ config: () => ({}) as MasterConfig, monotonic: clock.monotonic }),
    trouble: createTroubleList({ clock, log: silentLog }),
    clock,
  });
  const facts = { config: { file: '/nowhere/master.yaml', loaded_at: 0, error: null } } as MasterFacts;
  expect(await status.read(facts)).toMatchObject({ lists: { stale: false, read_at: 1_700_000_000 } });
  away = true;
  const answer = status.read(facts);
  await vi.advanceTimersByTimeAsync(CLIENT_MS - 1_000);
  vi.useRealTimers();
  expect(await answer).toMatchObject({
    ...{ running: [], pending: [], trouble: [] },
    lists: { stale: true, read_at: 1_700_000_000 },
  });
});

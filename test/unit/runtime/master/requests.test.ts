import { expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import type { Builds } from '../../../../src/runtime/master/builds.ts';
import type { Dispatcher } from '../../../../src/runtime/master/dispatch.ts';
import { createFarm } from '../../../../src/runtime/master/events.ts';
import { createRequests } from '../../../../src/runtime/master/requests.ts';
import { claimRequest, requestById, unclaimRequest } from '../../../../src/store/buildrequests.ts';
import { openStore } from '../../../../src/store/store.ts';
import { farmRows } from '../../../contract/store/farm.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

it('a request whose build ends as retry at the moment of its cancelling is cancelled all the same', async () => {
  await using temp = await tempDir();
  await using store = await openStore('sqlite:state.sqlite', { dir: temp.path });
  const id = await farmRows(store).request('app');
  await store.write((tx) => claimRequest(tx, id, 1));
  const remove = vi.fn();
  const builds = {
    running: { all: () => [{ requestid: id, buildid: 5 }] },
    async cancel() {
      await store.write((tx) => unclaimRequest(tx, id));
      return false;
    },
  };
  const requests = createRequests({
    farm: createFarm({ store, clock: systemClock, log: silentLog }),
    builds: builds as unknown as Builds,
    dispatcher: { remove } as unknown as Dispatcher,
    clock: systemClock,
  });
  const waiting = (await store.read((db) => requestById(db, id)))!;
  const row = await requests.cancelRequest(waiting, 'not needed');
  expect(row.complete_at).not.toBeNull();
  expect(remove).toHaveBeenCalledWith(id);
});

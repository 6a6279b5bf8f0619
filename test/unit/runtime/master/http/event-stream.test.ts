import { expect, it } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { silentLog } from '../../../../../src/base/log.ts';
import { createFarm, type Farm } from '../../../../../src/runtime/master/events.ts';
import { readEvents } from '../../../../../src/runtime/master/http/event-stream.ts';
import { openStore } from '../../../../../src/store/store.ts';
import { tempDir } from '../../../../rigs/temp-dir.ts';

/** A farm over a real store that counts reads, and a way to let things happen in it. */
async function eventfulFarm(dir: string) {
  const store = await openStore('sqlite:s', { dir });
  const state = { reads: 0, beforeRead: async () => {} };
  const counted = {
    ...store,
    write: store.write,
    async read(act: Parameters<typeof store.read>[0]) {
      state.reads += 1;
      const found = await store.read(act);
      await state.beforeRead();
      return found;
    },
  } as unknown as typeof store;
  const farm = createFarm({ store: counted, clock: systemClock, log: silentLog });
  const happen = (count: number) =>
    farm.change(async (_, emit) => {
      for (let event = 0; event < count; event += 1)
        emit({ type: 'worker.changed', name: 'w', what: 'draining' } as never);
    });
  return { store, farm, happen, state };
}

/** The ids that a reader has been given once it has this many. */
async function take(reader: AsyncGenerator<string>, count: number): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < count) {
    const { value } = (await reader.next()) as { value: string };
    for (const [, id] of value.matchAll(/^id: (\d+)$/gm)) ids.push(Number(id));
  }
  return ids;
}

const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, index) => from + index);

function reading(farm: Farm) {
  const stop = new AbortController();
  const reader = readEvents(farm, 0, stop.signal);
  return { reader, end: () => (stop.abort(), reader.return(undefined)) };
}

it('who reads events gets the old ones from the store, and news without another read', async () => {
  await using dir = await tempDir();
  const { store, farm, happen, state } = await eventfulFarm(dir.path);
  await using _ = store;
  await happen(3);
  const { reader, end } = reading(farm);
  expect(await take(reader, 3)).toEqual([1, 2, 3]);
  for (const id of [4, 5]) {
    await happen(1);
    expect(await take(reader, 1)).toEqual([id]);
  }
  expect(state.reads).toBe(1);
  await end();
});

it('who falls behind misses nothing and gets nothing twice', async () => {
  await using dir = await tempDir();
  const { store, farm, happen } = await eventfulFarm(dir.path);
  await using _ = store;
  const { reader, end } = reading(farm);
  await reader.next();
  await happen(2);
  expect(await take(reader, 2)).toEqual([1, 2]);
  for (const count of [400, 90, 300, 600, 5]) await happen(count);
  expect(await take(reader, 1_395)).toEqual(upTo(1_397, 3));
  await happen(1);
  expect(await take(reader, 1)).toEqual([1_398]);
  await end();
});

it('what happens while rows are read is not missed, however much it is', async () => {
  await using dir = await tempDir();
  const { store, farm, happen, state } = await eventfulFarm(dir.path);
  await using _ = store;
  await happen(1);
  let more = [700, 3];
  state.beforeRead = async () => {
    const count = more.shift();
    if (count !== undefined) await happen(count);
  };
  const { reader, end } = reading(farm);
  expect(await take(reader, 704)).toEqual(upTo(704));
  more = [];
  await end();
});

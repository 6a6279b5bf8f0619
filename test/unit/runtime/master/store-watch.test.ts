import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import { createTroubleList, STORE } from '../../../../src/runtime/master/trouble.ts';
import { watchStore } from '../../../../src/runtime/master/store-watch.ts';
import { codes } from '../../../../src/store/codes.ts';
import { setMeta } from '../../../../src/store/meta.ts';
import { openStore } from '../../../../src/store/store.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

const full = () => codes['BBX-STO-FULL']({ file: 'state.sqlite' });

describe('a store whose disk is full', () => {
  it('is trouble as soon as anybody could not write, and none when anybody could', async () => {
    await using dir = await tempDir();
    await using opened = await openStore('sqlite:state.sqlite', { dir: dir.path });
    const trouble = createTroubleList({ clock: systemClock, log: silentLog });
    const store = watchStore(opened, trouble);
    expect(store.epoch).toBe(opened.epoch);
    await expect(store.write(() => Promise.reject(full()))).rejects.toMatchObject({ code: 'BBX-STO-FULL' });
    expect(trouble.list()).toMatchObject([{ subject: 'store', code: 'BBX-STO-FULL' }]);
    await store.write((tx) => setMeta(tx, 'a', 'b'));
    expect(trouble.list()).toEqual([]);
    store.stopWatching();
  });

  it('is tried by itself until there is room, when nobody else writes', async () => {
    await using dir = await tempDir();
    await using opened = await openStore('sqlite:state.sqlite', { dir: dir.path });
    const trouble = createTroubleList({ clock: systemClock, log: silentLog });
    let fails = 2;
    const store = watchStore(
      Object.assign(Object.create(opened) as typeof opened, {
        write: (act: Parameters<typeof opened.write>[0]) =>
          fails-- > 0 ? Promise.reject(full()) : opened.write(act),
      }),
      trouble,
      20,
    );
    await expect(store.write((tx) => setMeta(tx, 'a', 'b'))).rejects.toMatchObject({ code: 'BBX-STO-FULL' });
    expect(trouble.get(STORE)).toBeDefined();
    await vi.waitFor(() => expect(trouble.get(STORE)).toBeUndefined(), { timeout: 8_000, interval: 50 });
    expect(fails).toBeLessThan(0);
    store.stopWatching();
  }, 15_000);

  it('leaves trouble of other kinds to those who say it', async () => {
    await using dir = await tempDir();
    await using opened = await openStore('sqlite:state.sqlite', { dir: dir.path });
    const trouble = createTroubleList({ clock: systemClock, log: silentLog });
    const store = watchStore(opened, trouble);
    await expect(store.write(() => Promise.reject(new Error('a mistake')))).rejects.toThrow('a mistake');
    expect(trouble.list()).toEqual([]);
    trouble.say(STORE, codes['BBX-STO-AWAY']({ store: 'postgres://db/bbx', problem: 'it starts' }));
    await store.write((tx) => setMeta(tx, 'a', 'b'));
    expect(trouble.get(STORE)?.code).toBe('BBX-STO-AWAY');
    store.stopWatching();
  });
});

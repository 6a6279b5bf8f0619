import { expect, it } from 'vitest';
import { prepared, preparedForEach } from '../../../src/store/prepared.ts';
import { openStore } from '../../../src/store/store.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

it('a prepared query is made once for each connection, and takes other values each time', async () => {
  await using dir = await tempDir();
  await using store = await openStore('sqlite:s', { dir: dir.path });
  let made = 0;
  const put = prepared((db, v: { key: string; value: string }) => {
    made += 1;
    return db
      .insertInto('meta')
      .values({ key: v.key, value: v.value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: v.value }))
      .returning('value');
  });
  const get = prepared((db, v: { key: string }) => {
    made += 1;
    return db.selectFrom('meta').select('value').where('key', '=', v.key);
  });
  const drop = prepared((db, v: { key: string }) => db.deleteFrom('meta').where('key', '=', v.key));
  for (const value of ['one', 'two', "'; drop table meta; --"]) {
    expect(await store.write((tx) => put.first(tx, { key: 'k', value }))).toEqual({ value });
    expect(await store.read((db) => get.rows(db, { key: 'k' }))).toEqual([{ value }]);
  }
  expect(await store.read((db) => get.first(db, { key: 'other' }))).toBeUndefined();
  expect(made).toBe(2);
  expect(await store.write((tx) => get.first(tx, { key: 'k' }))).toBeDefined();
  expect(made).toBe(3);
  expect(await store.write((tx) => drop.changed(tx, { key: 'k' }))).toBe(1);
  expect(await store.write((tx) => drop.changed(tx, { key: 'k' }))).toBe(0);
});

it.each([0, 1, 8, 9, 30])('a list of %i items is taken whole, a few by a statement', async (count) => {
  await using dir = await tempDir();
  await using store = await openStore('sqlite:s', { dir: dir.path });
  const lengths: number[] = [];
  const add = preparedForEach((db, items: readonly { name: string; active: number }[]) => {
    lengths.push(items.length);
    const values = items.map(({ name, active }) => ({ name, active }));
    return db.insertInto('builders').values(values).returning('name');
  });
  const items = Array.from({ length: count }, (_, index) => ({ name: `b${index}`, active: 1 }));
  const names = await store.write((tx) => add(tx, items));
  expect(names.map(({ name }) => name).toSorted()).toEqual(items.map(({ name }) => name).toSorted());
  expect(new Set(lengths).size).toBe(lengths.length);
});

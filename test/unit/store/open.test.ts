import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getMeta, setMeta } from '../../../src/store/meta.ts';
import { migrations } from '../../../src/store/migrations/list.ts';
import { openStore } from '../../../src/store/store.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bbx-store-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const url = 'sqlite:state.sqlite';
const file = () => join(dir, 'state.sqlite');

describe('opening a store', () => {
  it.each([
    ['postgres://u:geheim@db/x', 7, 'BBX-STO-URL'],
    ['postgres://u:ge/heim@geheim@db/x', 7, 'BBX-STO-URL'],
    ['postgres://u@db/x?password=geheim', 7, 'BBX-STO-URL'],
    ['postgres:db', 7, 'BBX-STO-URL'],
    ['postgres://u@db:x/x', 7, 'BBX-STO-URL'],
    ['postgresql://db/x?sslmode=prefer', 7, 'BBX-STO-URL'],
    ['postgresql://db/x?sslmdoe=require', 7, 'BBX-STO-URL'],
    ['mysql://x', 7, 'BBX-STO-URL'],
    ['sqlite:', 7, 'BBX-STO-URL'],
    ['sqlite::memory:', 7, 'BBX-STO-URL'],
    ['', 7, 'BBX-STO-URL'],
  ])('refuses the address %j as a matter of configuration', async (address, exit, code) => {
    const error: unknown = await openStore(address, { dir }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, exit });
    expect(JSON.stringify(error)).not.toContain('geheim');
  });

  it('refuses a schema of a newer bbx with a sentence and exit code 8, and leaves the file alone', async () => {
    await (await openStore(url, { dir })).close();
    const raw = new DatabaseSync(file());
    raw.exec(`update meta set value = '99' where key = 'schema'`);
    raw.close();
    const before = await readFile(file());
    await expect(openStore(url, { dir })).rejects.toMatchObject({
      code: 'BBX-STO-NEWER-SCHEMA',
      exit: 8,
      message: expect.stringMatching(/schema is number 99 and this bbx knows up to \d+; use the newer bbx/),
    });
    expect(await readFile(file())).toEqual(before);
  });

  it('upgrades an older schema one migration after the other, each kept when the next one fails', async () => {
    const second = {
      number: migrations.length + 1,
      name: 'second',
      up: async (db: Parameters<(typeof migrations)[0]['up']>[0]) => {
        await db.schema.alterTable('builders').addColumn('colour', 'text').execute();
      },
    };
    const broken = {
      number: migrations.length + 2,
      name: 'third',
      up: () => Promise.reject(new Error('no')),
    };
    const first = await openStore(url, { dir });
    const { epoch } = first;
    await first.close();
    await expect(openStore(url, { dir, migrations: [...migrations, second, broken] })).rejects.toThrow('no');
    await using store = await openStore(url, { dir, migrations: [...migrations, second] });
    expect(store.upgraded).toEqual([]);
    expect(store.schema).toBe(migrations.length + 1);
    expect(store.epoch).toBe(epoch);
  });

  it('does not upgrade what it may only read', async () => {
    await (await openStore(url, { dir })).close();
    const next = [
      ...migrations,
      { number: migrations.length + 1, name: 'next', up: () => Promise.resolve() },
    ];
    await expect(openStore(url, { dir, readOnly: true, migrations: next })).rejects.toMatchObject({
      code: 'BBX-STO-OLDER-SCHEMA',
      exit: 8,
    });
  });

  it.each([
    [
      'text',
      Buffer.from('this is no database, only some text that is long enough to be looked at\n'.repeat(20)),
    ],
    ['zeros', Buffer.alloc(8192)],
  ])('says of a file of %s that it is no database', async (_, bytes) => {
    await writeFile(file(), bytes);
    await expect(openStore(url, { dir })).rejects.toMatchObject({ code: 'BBX-STO-DAMAGED', exit: 8 });
    expect(await readFile(file())).toEqual(bytes);
  });

  it('says of a database whose pages were overwritten that it is damaged', async () => {
    await (await openStore(url, { dir })).close();
    const bytes = await readFile(file());
    bytes.fill(0xff, 4096, 12288);
    bytes.fill(0xff, 100, 200);
    await writeFile(file(), bytes);
    await expect(openStore(url, { dir })).rejects.toMatchObject({ code: 'BBX-STO-DAMAGED', exit: 8 });
  });

  it('leaves another program’s database alone', async () => {
    const raw = new DatabaseSync(file());
    raw.exec('create table recipes (name text)');
    raw.close();
    await expect(openStore(url, { dir })).rejects.toMatchObject({ code: 'BBX-STO-FOREIGN', exit: 8 });
    const again = new DatabaseSync(file());
    expect(again.prepare(`select name from sqlite_master where type = 'table'`).all()).toHaveLength(1);
    again.close();
  });

  it('makes its files for the own user alone, and closes those of an older bbx to others', async () => {
    const modes = async () => {
      const found = [];
      for (const suffix of ['', '-wal', '-shm'])
        found.push(((await stat(file() + suffix)).mode & 0o777).toString(8));
      return found;
    };
    const mask = process.umask(0o022);
    try {
      const fresh = await openStore(url, { dir });
      expect(await modes()).toEqual(['600', '600', '600']);
      await fresh.close();
      await chmod(file(), 0o644);
      await using again = await openStore(url, { dir });
      await again.write((tx) => setMeta(tx, 'x', 'y'));
      expect(await modes()).toEqual(['600', '600', '600']);
    } finally {
      process.umask(mask);
    }
  });

  it('makes nothing when it is only to read, and cannot write then', async () => {
    await expect(openStore(url, { dir, readOnly: true })).rejects.toMatchObject({
      code: 'BBX-STO-MISSING',
      exit: 6,
    });
    await (await openStore(url, { dir })).close();
    await using store = await openStore(url, { dir, readOnly: true });
    expect(await store.read((db) => getMeta(db, 'epoch'))).toBe(store.epoch);
    await expect(store.write((tx) => setMeta(tx, 'a', 'b'))).rejects.toMatchObject({ code: 'BBX-STO-OPEN' });
  });

  it('says why something that is not a file cannot be opened', async () => {
    await mkdir(file());
    await expect(openStore(url, { dir })).rejects.toMatchObject({ code: 'BBX-STO-OPEN', exit: 8 });
  });

  it('says why a file in a missing directory cannot be opened', async () => {
    await expect(openStore('sqlite:no/such/state.sqlite', { dir })).rejects.toMatchObject({
      code: 'BBX-STO-OPEN',
      exit: 8,
    });
  });

  it('writes with full durability and checks references', async () => {
    await using store = await openStore(url, { dir });
    const orphan = store.write(async (tx) => {
      await tx.insertInto('buildset_changes').values({ buildsetid: 5, changeid: 5 }).execute();
    });
    await expect(orphan).rejects.toThrow(/FOREIGN KEY/);
    const raw = new DatabaseSync(file(), { readOnly: true });
    expect(raw.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(raw.prepare('pragma auto_vacuum').get()).toEqual({ auto_vacuum: 2 });
    raw.close();
  });
});

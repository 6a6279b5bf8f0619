import { createWriteStream } from 'node:fs';
import { mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { restoreBackup } from '../../../src/backup/restore.ts';
import { ARCHIVE_END, entryHead, padding, type Entry } from '../../../src/backup/tar.ts';
import { unpackBackup } from '../../../src/backup/unpack.ts';
import { writeBackup } from '../../../src/backup/write.ts';
import { Readable } from 'node:stream';
import { systemClock } from '../../../src/base/clock.ts';
import { dumpTable, loadRows, DUMPED } from '../../../src/store/dump.ts';
import { ensureLog } from '../../../src/store/logs.ts';
import { migrations } from '../../../src/store/migrations/list.ts';
import { startStep } from '../../../src/store/steps.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { command } from '../../rigs/command.ts';
import { hasPostgres, makeDatabase } from '../../rigs/postgres.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { farmRows } from '../store/farm.ts';

const never = new AbortController().signal;

async function farmIn(dir: string): Promise<Store> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'master.yaml'), 'store: sqlite:state.sqlite\n');
  return openStore('sqlite:state.sqlite', { dir });
}

const backupOf = (dir: string, store: Store, file: string) =>
  writeBackup({
    ...{ dir, store, version: '0.0.0', clock: systemClock, signal: never },
    without: ['', '-wal', '-shm'].map((end) => `${store.name}${end}`),
    output: createWriteStream(file, { mode: 0o600 }),
  });

const restored = (file: string, dir: string, store?: string) =>
  restoreBackup({
    ...{ source: file, dir, store, damaged: false, clock: systemClock, signal: never },
    env: {},
  });

it.each(migrations.map(({ number }) => number))(
  'takes a store of schema %i as it is, an empty log too, and restores it into the newest',
  async (number) => {
    await using temp = await tempDir();
    const rows: Record<string, Record<string, unknown>[]> = {};
    {
      await using model = await openStore('sqlite:model', { dir: temp.path });
      const { buildid } = await farmRows(model).build('a');
      await model.write(async (tx) =>
        ensureLog(tx, await startStep(tx, { buildid, number: 0, name: 'shell', at: 1 }), 'empty'),
      );
      for (const table of DUMPED) {
        rows[table.name] = [];
        const { name } = table;
        await model.read(async (db) => {
          for await (const _ of dumpTable(db, table, (row) => rows[name]!.push(row)));
        });
      }
    }
    const dir = join(temp.path, 'm');
    await mkdir(dir);
    await writeFile(join(dir, 'master.yaml'), 'store: sqlite:state.sqlite\n');
    const older = migrations.slice(0, number);
    await using store = await openStore('sqlite:state.sqlite', { dir, migrations: older });
    const tables = await store.read((db) => db.introspection.getTables());
    await store.write(async (tx) => {
      for (const { name } of DUMPED) {
        const columns = tables.find((table) => table.name === name)?.columns.map((column) => column.name);
        const known = rows[name]!.map((row) =>
          Object.fromEntries(Object.entries(row).filter(([column]) => columns?.includes(column))),
        );
        if (columns !== undefined && name !== 'meta') await loadRows(tx, name, known);
      }
    });
    const file = join(temp.path, 'farm.bbx');
    expect(await backupOf(dir, store, file)).toMatchObject({ schema: number, missing: [] });
    const again = join(temp.path, 'again');
    await restored(file, again);
    await using newest = await openStore('sqlite:state.sqlite', { dir: again });
    expect(newest.schema).toBe(migrations.length);
    expect(await newest.read((db) => db.selectFrom('logs').select('name').execute())).toEqual([
      { name: 'empty' },
    ]);
  },
);

it('leaves earlier backups out of a backup, wherever they stand in the directory', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'm');
  await using store = await farmIn(dir);
  await backupOf(dir, store, join(temp.path, 'first.bbx'));
  await mkdir(join(dir, 'old'));
  await writeFile(join(dir, 'old', 'monday'), await readFile(join(temp.path, 'first.bbx')));
  await writeFile(join(dir, 'other.zst'), zstdCompressSync(Buffer.from('kept')));
  await backupOf(dir, store, join(temp.path, 'second.bbx'));
  const again = join(temp.path, 'again');
  await restored(join(temp.path, 'second.bbx'), again);
  expect((await readdir(again)).toSorted()).toEqual(
    ['.bbx', 'master.yaml', 'other.zst', 'state.sqlite'].toSorted(),
  );
});

it('names what it must leave out: a name or a target that is not UTF-8 has no entry', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'm');
  await using store = await farmIn(dir);
  const inside = (name: string) => Buffer.from(`${dir}/${name}`, 'latin1');
  await mkdir(join(dir, 'sub'));
  await mkdir(inside('folder-\xff'));
  await writeFile(inside('folder-\xff/in-it'), 'x');
  await writeFile(inside('sub/caf\xe9\x1b.txt'), 'x');
  await symlink('master.yaml', inside('link-\xff'));
  await symlink(Buffer.from('to-\xff', 'latin1'), join(dir, 'link'));
  // What would be left out anyway is not worth a word.
  await writeFile(inside('\xff.new-1'), 'x');
  await writeFile(join(dir, 'über-\ufffd.txt'), 'kept');
  const file = join(temp.path, 'farm.bbx');
  const { leftOut } = await backupOf(dir, store, file);
  expect(leftOut.toSorted()).toEqual(
    ['folder-\\xff', 'link', 'link-\\xff', 'sub/caf\\xe9\\x1b.txt'].toSorted(),
  );
  const again = join(temp.path, 'again');
  await restored(file, again);
  expect(await readFile(join(again, 'über-\ufffd.txt'), 'utf8')).toBe('kept');
  expect((await readdir(again)).toSorted()).toEqual(
    ['.bbx', 'master.yaml', 'state.sqlite', 'über-\ufffd.txt'].toSorted(),
  );
});

it('says at the terminal what was left out, a screen of it at most', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'm');
  await (await farmIn(dir)).close();
  await mkdir(join(dir, '\x1b]0;sub'));
  for (let number = 10; number < 22; number += 1)
    await writeFile(Buffer.from(`${dir}/\x1b]0;sub/${number}\xff`, 'latin1'), '');
  const ran = await command(['backup', join(temp.path, 'farm.bbx'), '--dir', dir], { cwd: temp.path });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  const lines = ran.stdout.split('\n').filter((line) => line.startsWith('Left out'));
  expect(lines).toHaveLength(11);
  expect(lines[0]).toContain(String.raw`"\x1b]0;sub/10\xff"`);
  expect(lines[10]).toBe('Left out, too: 2 more; --json names them all.');
});

it('keeps names with a backslash, as systemd has them', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'm');
  await using store = await farmIn(dir);
  await writeFile(join(dir, String.raw`srv-build\x2dfarm.mount`), 'unit');
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  const again = join(temp.path, 'again');
  await restored(file, again);
  expect(await readFile(join(again, String.raw`srv-build\x2dfarm.mount`), 'utf8')).toBe('unit');
});

it('writes nothing through a link to another place', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'm');
  const elsewhere = join(temp.path, 'elsewhere');
  await mkdir(elsewhere);
  await using store = await farmIn(dir);
  await rm(join(dir, '.bbx'), { recursive: true, force: true });
  await symlink(elsewhere, join(dir, '.bbx'));
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await restored(file, join(temp.path, 'again'));
  expect(await readdir(elsewhere)).toEqual([]);
});

it.each([
  ['a file', { path: 'files/out/x', kind: 'file', size: 1, mode: 0o600 }],
  ['a link', { path: 'files/out/x', kind: 'link', size: 0, mode: 0o777, target: 'y' }],
] as const)('refuses a made up backup whose link leads %s out of its place', async (_, second) => {
  await using temp = await tempDir();
  const elsewhere = join(temp.path, 'elsewhere');
  await mkdir(elsewhere);
  const members: object[] = [];
  const parts: Buffer[] = [];
  const put = (entry: Entry, content: Buffer) => {
    parts.push(entryHead(entry, 0), content, padding(entry.size));
    const sha256 = createHash('sha256')
      .update(entry.target ?? content)
      .digest('hex');
    members.push({ path: entry.path, bytes: entry.size, sha256 });
    return sha256;
  };
  const putJson = (path: string, value: object) => {
    const content = Buffer.from(JSON.stringify(value));
    return put({ path, kind: 'file', size: content.length, mode: 0o600 }, content);
  };
  const head = { format: 'bbx.backup/1', version: '0', schema: 1, epoch: 'e', takenAt: 0, dialect: 'sqlite' };
  putJson('backup.json', head);
  put({ path: 'files/out', kind: 'link', size: 0, mode: 0o777, target: elsewhere }, Buffer.alloc(0));
  put(second, Buffer.alloc(second.size));
  const manifest = putJson('manifest.json', { members: [...members], tables: {}, lastIds: {}, running: 0 });
  putJson('logs.json', { members: [], manifest, pruned: [], missing: [] });
  const dir = join(temp.path, 'd');
  await mkdir(dir);
  const unpacked = unpackBackup({
    source: Readable.from([zstdCompressSync(Buffer.concat([...parts, ARCHIVE_END]))]),
    ...{ name: 'made up', dir, knownSchema: 1, damaged: true, signal: never },
  });
  await expect(unpacked).rejects.toMatchObject({ code: 'BBX-BAK-DAMAGED' });
  expect(await readdir(elsewhere)).toEqual([]);
});

it('looks at the address of another store before anything else, and shows no password of it', async () => {
  await using temp = await tempDir();
  const wrong = restored(join(temp.path, 'none'), join(temp.path, 'a'), 'postgres://u:geheim@h/d');
  await expect(wrong).rejects.toMatchObject({ code: 'BBX-STO-URL', exit: 7 });
  await expect(wrong).rejects.not.toThrow('geheim');
});

it.skipIf(!hasPostgres())('leaves a database alone into which somebody else came meanwhile', async () => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'm');
  await using store = await farmIn(dir);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  const database = await makeDatabase();
  const ends = await Promise.allSettled(
    ['one', 'two'].map((name) => restored(file, join(temp.path, name), database.url)),
  );
  expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  const winner = ends[0]?.status === 'fulfilled' ? 'one' : 'two';
  expect((await stat(join(temp.path, winner))).isDirectory()).toBe(true);
  await using there = await openStore(database.url, { dir, readOnly: true });
  expect(await there.read((db) => db.selectFrom('builders').selectAll().execute())).toEqual([]);
});

it.skipIf(!hasPostgres())('may take long between two questions to PostgreSQL', async () => {
  await using temp = await tempDir();
  const database = await makeDatabase();
  await using store = await openStore(database.url, { dir: temp.path });
  const { rows } = await store.snapshot((db) =>
    sql<{ limit: number }>`select extract(epoch from
      current_setting('idle_in_transaction_session_timeout')::interval)::int as limit`.execute(db),
  );
  expect(rows[0]?.limit).toBeGreaterThanOrEqual(3_600);
});

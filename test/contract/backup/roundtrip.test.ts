import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { restoreBackup } from '../../../src/backup/restore.ts';
import { writeBackup } from '../../../src/backup/write.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { checkStore } from '../../../src/store/check.ts';
import { DUMPED } from '../../../src/store/dump.ts';
import { openLogFiles } from '../../../src/store/log-files.ts';
import { completeLog, ensureLog, markPruned, setLogSizes } from '../../../src/store/logs.ts';
import { restoredFrom } from '../../../src/store/restored.ts';
import { startStep } from '../../../src/store/steps.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { hasPostgres, makeDatabase } from '../../rigs/postgres.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { farmRows } from '../store/farm.ts';

const never = new AbortController().signal;

/** A master's directory with some of everything in it: rows, a finished, a running, an empty and a removed log, files and a link. */
async function farmDirectory(root: string) {
  const dir = join(root, 'master');
  await mkdir(join(dir, 'identity'), { recursive: true });
  await mkdir(join(dir, '.bbx', 'mirrors', 'r'), { recursive: true });
  await writeFile(join(dir, 'identity', 'key.pem'), 'the key\n', { mode: 0o600 });
  await writeFile(join(dir, 'identity', 'script'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(dir, 'master.yaml'), 'title: kept\nstore: sqlite:state.sqlite\n');
  await writeFile(join(dir, `${'long'.repeat(40)}.txt`), 'a long name');
  await writeFile(join(dir, '.bbx', 'mirrors', 'r', 'pack'), 'comes again');
  await symlink('identity/key.pem', join(dir, 'link'));
  const store = await openStore('sqlite:state.sqlite', { dir });
  const files = await openLogFiles(join(dir, 'logs'));
  const rows = farmRows(store);
  const { buildid } = await rows.build('a');
  await rows.change({});
  const logids: number[] = [];
  for (const name of ['finished', 'running', 'empty', 'removed']) {
    const logid = await store.write(async (tx) =>
      ensureLog(tx, await startStep(tx, { buildid, number: 0, name: 'shell', at: 1 }), name),
    );
    logids.push(logid);
    if (name === 'empty') continue;
    await files.append(logid, {
      offset: 0,
      channel: 'stdout',
      at: 1,
      bytes: Buffer.from(`${name}\n`.repeat(1000)),
    });
    await files.sync([logid]);
    await store.write((tx) => setLogSizes(tx, [[logid, `${name}\n`.length * 1000]]));
    if (name === 'finished') {
      const end = await files.finish(logid);
      await store.write((tx) => completeLog(tx, logid, { ...end, receipt: 'verified' }));
    }
    if (name === 'removed') {
      await files.remove(logid);
      await store.write((tx) => markPruned(tx, [logid]));
    }
  }
  return { dir, store, files, rows, logids };
}

async function backupOf(dir: string, store: Store, file: string, hooks: { onLogs?: () => void } = {}) {
  return writeBackup({
    dir,
    store,
    without: [file, ...['', '-wal', '-shm'].map((end) => `${store.name}${end}`)],
    output: createWriteStream(file, { mode: 0o600 }),
    version: '0.0.0',
    clock: systemClock,
    signal: never,
    onProgress: ({ what }) => (what === 'logs' ? hooks.onLogs?.() : undefined),
  });
}

const restored = (file: string, dir: string, more: { damaged?: boolean; store?: string } = {}) =>
  restoreBackup({ source: file, dir, damaged: false, clock: systemClock, signal: never, env: {}, ...more });

async function allRows(store: Store): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const { name } of DUMPED) {
    const rows = await store.read((db) => db.selectFrom(name).selectAll().execute());
    found[name] = name === 'meta' ? [] : rows;
  }
  return found;
}

async function textOf(files: Awaited<ReturnType<typeof openLogFiles>>, logid: number): Promise<string> {
  const parts: Buffer[] = [];
  for await (const { bytes } of files.read(logid)) parts.push(Buffer.from(bytes));
  return Buffer.concat(parts).toString();
}

it('brings rows, numbers, logs and files back as they were, under a new epoch', async () => {
  await using temp = await tempDir();
  const { dir, store, files, rows, logids } = await farmDirectory(temp.path);
  const file = join(temp.path, 'farm.bbx');
  const summary = await backupOf(dir, store, file);
  expect(summary).toMatchObject({ logs: 2, running: 1, pruned: [], missing: [] });
  const before = await allRows(store);
  const epoch = store.epoch;
  // What happens afterwards is not in it.
  await rows.build('later');
  await files.close();
  await store.close();

  const target = join(temp.path, 'again');
  const made = await restored(file, target);
  expect(made).toMatchObject({
    from: epoch,
    logs: 2,
    running: 1,
    damage: null,
    store: join(target, 'state.sqlite'),
  });
  expect((await readdir(temp.path)).sort()).toEqual(['again', 'farm.bbx', 'master']);
  expect((await readdir(target)).sort()).toEqual(
    ['.bbx', 'identity', 'link', 'logs', `${'long'.repeat(40)}.txt`, 'master.yaml', 'state.sqlite'].sort(),
  );
  expect(await readFile(join(target, 'link'), 'utf8')).toBe('the key\n');
  expect((await stat(join(target, 'identity', 'key.pem'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(target, 'identity', 'script'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(target, 'state.sqlite'))).mode & 0o777).toBe(0o600);
  expect(await readdir(join(target, '.bbx'))).toEqual([]);

  await using again = await openStore('sqlite:state.sqlite', { dir: target });
  await using logs = await openLogFiles(join(target, 'logs'));
  expect(await allRows(again)).toEqual(before);
  expect(again.epoch).toBe(made.epoch);
  expect(again.epoch).not.toBe(epoch);
  expect(await again.read((db) => restoredFrom(db))).toMatchObject({
    from: epoch,
    lastBuild: 1,
    takenAt: summary.takenAt,
  });
  expect(await textOf(logs, logids[0]!)).toBe('finished\n'.repeat(1000));
  expect(await textOf(logs, logids[1]!)).toBe('running\n'.repeat(1000));
  expect(await Array.fromAsync(checkStore(again, join(target, 'logs')))).toEqual([]);
});

it('never uses a number again that was used before the backup, not even of a row that is gone', async () => {
  await using temp = await tempDir();
  const { dir, store, files, rows } = await farmDirectory(temp.path);
  const { buildid } = await rows.build('a');
  await store.write((tx) => tx.deleteFrom('builds').where('buildid', '=', buildid).execute());
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await files.close();
  await store.close();
  const target = join(temp.path, 'again');
  await restored(file, target);
  await using again = await openStore('sqlite:state.sqlite', { dir: target });
  expect((await farmRows(again).build('a')).buildid).toBe(buildid + 1);
});

it('calls a log that retention removes meanwhile removed, and one that was gone before missing', async () => {
  await using temp = await tempDir();
  const { dir, store, files, logids } = await farmDirectory(temp.path);
  const [first, second] = logids as [number, number];
  const file = join(temp.path, 'farm.bbx');
  await files.remove(second);
  let pruned: Promise<unknown> | undefined;
  const summary = await backupOf(dir, store, file, {
    onLogs: () => (pruned ??= store.write((tx) => markPruned(tx, [second]))),
  });
  await pruned;
  expect(summary).toMatchObject({ logs: 1, pruned: [second], missing: [] });
  await files.close();
  await store.close();
  const target = join(temp.path, 'again');
  expect(await restored(file, target)).toMatchObject({ pruned: 1, logs: 1 });
  await using again = await openStore('sqlite:state.sqlite', { dir: target });
  const rows = await again.read((db) =>
    db
      .selectFrom('logs')
      .select(['logid', 'pruned'])
      .where('logid', 'in', [first, second])
      .orderBy('logid')
      .execute(),
  );
  expect(rows).toEqual([
    { logid: first, pruned: 0 },
    { logid: second, pruned: 1 },
  ]);
});

it.skipIf(!hasPostgres())('goes from a file to PostgreSQL and back, with every row as it was', async () => {
  await using temp = await tempDir();
  const { dir, store, files } = await farmDirectory(temp.path);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  const before = await allRows(store);
  await files.close();
  await store.close();

  const database = await makeDatabase();
  const middle = join(temp.path, 'middle');
  const made = await restored(file, middle, { store: database.url });
  expect(made.store).toMatch(/^postgres:/);
  const back = join(temp.path, 'back.bbx');
  {
    await using there = await openStore(database.url, { dir: middle, sole: true });
    expect(await allRows(there)).toEqual(before);
    // Others go on writing while it is read.
    await farmRows(there).build('meanwhile');
    await backupOf(middle, there, back);
  }
  // A database that is in use stays as it is.
  await expect(restored(back, join(temp.path, 'other'))).rejects.toMatchObject({ code: 'BBX-BAK-STORE' });
  const second = await makeDatabase();
  const third = join(temp.path, 'third');
  await restored(back, third, { store: second.url });
  {
    await using there = await openStore(second.url, { dir: third, sole: true });
    expect((await allRows(there))['builds']).toHaveLength(2);
    expect((await farmRows(there).build('a')).buildid).toBe(3);
  }
  const target = join(temp.path, 'again');
  await restored(back, target, { store: 'sqlite:state.sqlite' });
  await using again = await openStore('sqlite:state.sqlite', { dir: target });
  const rows = await allRows(again);
  expect(rows['changes']).toEqual(before['changes']);
  expect(rows['logs']).toEqual(before['logs']);
  expect(rows['builds']?.slice(0, 1)).toEqual(before['builds']);
  expect(rows['builds']).toHaveLength(2);
  expect(await Array.fromAsync(checkStore(again, join(target, 'logs')))).toEqual([]);
});

it.skipIf(!hasPostgres())('leaves a database as empty as it was when the restore fails', async () => {
  await using temp = await tempDir();
  const { dir, store, files } = await farmDirectory(temp.path);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await files.close();
  await store.close();
  const database = await makeDatabase();
  const target = join(temp.path, 'again');
  const stop = new AbortController();
  const stopped = restoreBackup({
    ...{ source: file, dir: target, store: database.url, damaged: false },
    ...{ clock: systemClock, signal: stop.signal, env: {} },
    onProgress: (text) =>
      text.startsWith('making it durable') ? stop.abort(new Error('enough')) : undefined,
  });
  await expect(stopped).rejects.toThrow('enough');
  const tables = await database.query(
    "select 1 from information_schema.tables where table_schema = 'public'",
  );
  expect(tables).toEqual([]);
  expect((await readdir(temp.path)).sort()).toEqual(['farm.bbx', 'master']);
  await restored(file, target, { store: database.url });
});

it.each([
  ['a file', (dir: string) => writeFile(dir, ''), 'it is a file'],
  [
    'a directory that is in use',
    (dir: string) => mkdir(join(dir, 'x'), { recursive: true }),
    'something is in it already',
  ],
])('never restores over %s', async (_, make, problem) => {
  await using temp = await tempDir();
  const { dir, store, files } = await farmDirectory(temp.path);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await files.close();
  await store.close();
  const target = join(temp.path, 'again');
  await make(target);
  await expect(restored(file, target)).rejects.toMatchObject({
    code: 'BBX-BAK-TARGET',
    exit: 8,
    message: expect.stringContaining(problem) as string,
  });
  expect((await readdir(temp.path)).sort()).toEqual(['again', 'farm.bbx', 'master']);
});

it('never puts rows into a store that is in use, and takes another one when told', async () => {
  await using temp = await tempDir();
  const { dir, store, files } = await farmDirectory(temp.path);
  await writeFile(join(dir, 'master.yaml'), `store: "sqlite:${join(dir, 'state.sqlite')}"\n`);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await files.close();
  await store.close();
  const target = join(temp.path, 'again');
  await expect(restored(file, target)).rejects.toMatchObject({ code: 'BBX-BAK-STORE', exit: 8 });
  expect(await readdir(temp.path)).not.toContain('again');
  await restored(file, target, { store: 'sqlite:other.sqlite' });
  expect(await readFile(join(target, 'master.yaml'), 'utf8')).toBe('store: sqlite:other.sqlite\n');
  expect(await readdir(target)).toContain('other.sqlite');
});

it('refuses every cut and every flipped byte of a backup before anything is there', async () => {
  await using temp = await tempDir();
  const { dir, store, files } = await farmDirectory(temp.path);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await files.close();
  await store.close();
  const whole = await readFile(file);
  const target = join(temp.path, 'again');
  const bad = join(temp.path, 'bad.bbx');
  for (let round = 0; round < 24; round += 1) {
    const at = Math.floor(((round + 0.5) / 24) * whole.length);
    const copy = Buffer.from(whole);
    copy[at]! ^= 1 << (round % 8);
    await writeFile(bad, round % 2 === 0 ? copy : whole.subarray(0, at));
    await expect(restored(bad, target)).rejects.toMatchObject({
      code: expect.stringMatching(/^BBX-BAK-(DAMAGED|NOT-ONE|NEWER)$/) as string,
    });
  }
  await rm(bad);
  expect((await readdir(temp.path)).sort()).toEqual(['farm.bbx', 'master']);
});

it('restores what holds of a backup that was cut among the logs, when told to', async () => {
  await using temp = await tempDir();
  const { dir, store, files, logids } = await farmDirectory(temp.path);
  // A log that does not compress: the cut is in it.
  const random = Buffer.alloc(3_000_000);
  for (let at = 0; at < random.length; at += 4) random.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);
  const last = logids[1]!;
  const size = await files.size(last);
  await files.append(last, { offset: size, channel: 'stdout', at: 1, bytes: random });
  await files.sync([last]);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await files.close();
  await store.close();
  await truncate(file, (await stat(file)).size - 200_000);
  const target = join(temp.path, 'again');
  await expect(restored(file, target)).rejects.toMatchObject({ code: 'BBX-BAK-DAMAGED', exit: 1 });
  expect(await restored(file, target, { damaged: true })).toMatchObject({ damage: 'it ends too early' });
  await using again = await openStore('sqlite:state.sqlite', { dir: target });
  await using logs = await openLogFiles(join(target, 'logs'));
  expect(await textOf(logs, logids[0]!)).toBe('finished\n'.repeat(1000));
  expect(await again.read((db) => restoredFrom(db))).toBeDefined();
});

it('says of any other file that it is no backup', async () => {
  await using temp = await tempDir();
  const file = join(temp.path, 'some');
  for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(100_000)]) {
    await writeFile(file, bytes);
    await expect(restored(file, join(temp.path, 'd'))).rejects.toMatchObject({
      code: 'BBX-BAK-NOT-ONE',
      exit: 6,
    });
  }
  await expect(restored(join(temp.path, 'none'), join(temp.path, 'd'))).rejects.toMatchObject({
    code: 'BBX-FILE-MISSING',
  });
});

it('takes every table of the schema', async () => {
  await using temp = await tempDir();
  await using store = await openStore('sqlite:x', { dir: temp.path });
  const tables = await store.read((db) => db.introspection.getTables());
  const names = tables.map(({ name }) => name).filter((name) => !name.startsWith('sqlite_'));
  expect(DUMPED.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
});

it('writes tar and zstd that other programs read', async () => {
  await using temp = await tempDir();
  const { dir, store, files } = await farmDirectory(temp.path);
  const file = join(temp.path, 'farm.bbx');
  await backupOf(dir, store, file);
  await files.close();
  await store.close();
  const { zstdDecompressSync } = await import('node:zlib');
  const plain = join(temp.path, 'farm.tar');
  const handle = await open(plain, 'w');
  await handle.writeFile(zstdDecompressSync(await readFile(file)));
  await handle.close();
  const { execa } = await import('execa');
  const { stdout } = await execa('tar', ['-tf', plain]);
  const names = stdout.split('\n');
  expect(names[0]).toBe('backup.json');
  expect(names.at(-1)).toBe('logs.json');
  expect(names).toContain(`files/${'long'.repeat(40)}.txt`);
  expect(names).toContain('logs/0/1.zst');
});

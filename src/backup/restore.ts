import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { BbxError, errnoOf } from '../base/error.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { maskPasswords } from '../base/mask-passwords.ts';
import { changeFile } from '../config/change.ts';
import { loadMaster } from '../config/master.ts';
import { syncDisk } from '../exec/sync-disk.ts';
import { DUMPED, loadRows, setLastIds } from '../store/dump.ts';
import { setMeta } from '../store/meta.ts';
import { migrations } from '../store/migrations/list.ts';
import { RESTORED, type Restored } from '../store/restored.ts';
import { openStore, type Store } from '../store/store.ts';
import { markPruned } from '../store/logs.ts';
import { parseStoreUrl } from '../store/url.ts';
import { codes } from './codes.ts';
import { unpackBackup, type Unpacked } from './unpack.ts';

export interface RestoreSummary {
  dir: string;
  store: string;
  takenAt: number;
  /** The life of the store that the backup was taken from, and the one that begins. */
  from: string;
  epoch: string;
  rows: number;
  logs: number;
  /** Builds that ran then: they are tried again. */
  running: number;
  /** Logs that the backup does not have. */
  pruned: number;
  missing: number;
  /** What does not hold in the backup; null for a whole one. */
  damage: string | null;
}

/**
 * Makes a master's directory from a backup. Everything is unpacked and compared beside the place first; the directory has its name when all of
 * it is there, rows included. Throws BBX-BAK-…, with nothing left behind.
 */
export async function restoreBackup(options: {
  /** A path, or a stream of the backup's bytes. */
  source: string | Readable;
  dir: string;
  /** Another store than the configuration in the backup names. */
  store?: string | undefined;
  /** Restores what holds of a damaged backup. */
  damaged: boolean;
  clock: Clock;
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
  onProgress?: (text: string) => void;
}): Promise<RestoreSummary> {
  const { clock, signal, env } = options;
  const dir = resolve(options.dir);
  await mustBeEmpty(dir);
  if (options.store !== undefined) parseStoreUrl(options.store, dir);
  const name = typeof options.source === 'string' ? options.source : 'standard input';
  const source =
    typeof options.source === 'string'
      ? (await openToRead(options.source)).createReadStream()
      : options.source;
  const staging = join(dirname(dir), `.${basename(dir)}.restoring-${randomBytes(4).toString('hex')}`);
  let store: Store | undefined;
  let filled: string | undefined;
  try {
    await mkdir(dirname(dir), { recursive: true });
    await mkdir(staging, { mode: 0o700 });
    const unpacked = await unpackBackup({
      ...{ source, name, dir: staging, damaged: options.damaged, signal },
      knownSchema: migrations.at(-1)!.number,
      onProgress: ({ entries, bytes }) =>
        options.onProgress?.(`unpacking and comparing: ${entries} entries, ${Math.round(bytes / 1e6)} MB`),
    });
    if (options.store !== undefined)
      await changeFile('master', staging, [{ path: ['store'], value: options.store }]);
    const url = options.store ?? (await loadMaster(staging, { env, signal })).config.store;
    await mustBeUnused(url, staging, env);
    store = await openStore(url, {
      ...{ dir: staging, clock, env, signal },
      sole: true,
      migrations: migrations.filter(({ number }) => number <= unpacked.head.schema),
    });
    // Somebody else, a second restore, may have come between the look and the opening: what is in it is theirs.
    if (store.upgraded[0] !== migrations[0]?.number) throw inUse(url, 'rows are in it already');
    filled = url;
    const rows = await putRows(store, unpacked, signal, options.onProgress);
    const restored = await markRestored(store, unpacked, clock);
    await store.close();
    // Brings rows of an older bbx to this schema.
    store = await openStore(url, { dir: staging, clock, env, signal, sole: true });
    const from = unpacked.head.epoch;
    const epoch = await store.newEpoch();
    const { name: storeName } = store;
    await store.close();
    await rm(unpacked.rowsDir, { recursive: true });
    options.onProgress?.('making it durable');
    await syncDisk(staging);
    signal.throwIfAborted();
    await takeName(staging, dir);
    return {
      dir,
      store: storeName.startsWith(staging) ? join(dir, storeName.slice(staging.length)) : storeName,
      takenAt: unpacked.head.takenAt,
      from,
      epoch,
      rows,
      logs: unpacked.logFiles,
      running: restored.running,
      pruned: unpacked.logs?.pruned.length ?? 0,
      missing: unpacked.logs?.missing.length ?? 0,
      damage: unpacked.damage ?? null,
    };
  } catch (error) {
    await store?.close().catch(() => undefined);
    if (filled !== undefined) await leaveEmpty(filled, { dir: staging, env }).catch(() => undefined);
    throw fileTrouble(error, pathOf(error) ?? staging) ?? error;
  } finally {
    source.destroy();
    await rm(staging, { recursive: true, force: true });
  }
}

async function openToRead(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw fileTrouble(error, file) ?? error;
  }
}

function pathOf(error: unknown): string | undefined {
  const { path } = (error ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path : undefined;
}

async function mustBeEmpty(dir: string): Promise<void> {
  try {
    if (!(await stat(dir)).isDirectory()) throw codes['BBX-BAK-TARGET']({ dir, problem: 'it is a file' });
    if ((await readdir(dir)).length > 0)
      throw codes['BBX-BAK-TARGET']({ dir, problem: 'something is in it already' });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** A store that is new, or a database without a table. */
async function mustBeUnused(url: string, dir: string, env: NodeJS.ProcessEnv): Promise<void> {
  let problem = 'rows are in it already';
  try {
    await (await openStore(url, { dir, readOnly: true, env })).close();
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    if (error.code === 'BBX-STO-MISSING') return;
    if (error.code === 'BBX-STO-OLDER-SCHEMA' && error.data['found'] === 0) return;
    if (!['BBX-STO-FOREIGN', 'BBX-STO-NEWER-SCHEMA', 'BBX-STO-OLDER-SCHEMA'].includes(error.code))
      throw error;
    problem = error.message;
  }
  throw inUse(url, problem);
}

function inUse(url: string, problem: string): BbxError {
  return codes['BBX-BAK-STORE']({ store: maskPasswords(url), problem });
}

/** Takes back what was put into a store that was new: its tables go, or its file, wherever that is. */
async function leaveEmpty(url: string, place: { dir: string; env: NodeJS.ProcessEnv }): Promise<void> {
  const found = parseStoreUrl(url, place.dir);
  if (found.kind === 'sqlite') {
    for (const end of ['', '-wal', '-shm']) await rm(`${found.file}${end}`, { force: true });
    return;
  }
  await using store = await openStore(url, place);
  await store.write(async (tx) => {
    for (const { name } of DUMPED.toReversed())
      await tx.schema.dropTable(name).ifExists().cascade().execute();
  });
}

/** Puts the rows back, a piece of some hundred in one transaction; gives their number. */
async function putRows(
  store: Store,
  { rowsDir, manifest }: Unpacked,
  signal: AbortSignal,
  onProgress: ((text: string) => void) | undefined,
): Promise<number> {
  const total = Object.values(manifest.tables).reduce((sum, rows) => sum + rows, 0);
  let done = 0;
  for (const { name } of DUMPED) {
    const folder = join(rowsDir, name);
    for (const file of await list(folder)) {
      signal.throwIfAborted();
      const text = await readFile(join(folder, file), 'utf8');
      const lines = text.split('\n').filter((line) => line !== '');
      const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      // What a store says of itself (schema, life, the master that has it) is its own.
      if (name !== 'meta') await store.write((tx) => loadRows(tx, name, rows));
      done += rows.length;
      onProgress?.(`putting rows back: ${done} of ${total}`);
    }
  }
  await store.write((tx) => setLastIds(store, tx, manifest.lastIds));
  return done;
}

/** Notes where this store comes from, and forgets the logs that retention has removed while the backup was made. */
async function markRestored(
  store: Store,
  { head, manifest, logs }: Unpacked,
  clock: Clock,
): Promise<{ running: number }> {
  const restored: Restored = {
    at: clock.wall(),
    takenAt: head.takenAt,
    from: head.epoch,
    lastBuild: manifest.lastIds['builds'] ?? 0,
  };
  const pruned = logs?.pruned ?? [];
  await store.write(async (tx) => {
    await setMeta(tx, RESTORED, JSON.stringify(restored));
    for (let from = 0; from < pruned.length; from += 1_000)
      await markPruned(tx, pruned.slice(from, from + 1_000));
  });
  return { running: manifest.running };
}

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The last act: until here nothing stood at the place. An empty directory there is replaced. */
async function takeName(staging: string, dir: string): Promise<void> {
  try {
    await rename(staging, dir);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOTEMPTY' || errno === 'EEXIST')
      throw codes['BBX-BAK-TARGET']({ dir, problem: 'something came into it meanwhile' }, { cause: error });
    if (errno === 'EBUSY' || errno === 'EXDEV')
      throw codes['BBX-BAK-TARGET']({ dir, problem: 'a file system is mounted there' }, { cause: error });
    throw error;
  }
}

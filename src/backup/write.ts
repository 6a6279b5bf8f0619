import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { constants, createZstdCompress } from 'node:zlib';
import type { Clock } from '../base/clock.ts';
import { masterLayout } from '../config/layout.ts';
import type { Db } from '../store/database.ts';
import { dumpTable, dumpedOf, lastIds } from '../store/dump.ts';
import type { Store } from '../store/store.ts';
import {
  BACKUP_FORMAT,
  HEAD,
  LOG_MANIFEST,
  MANIFEST,
  type BackupHead,
  type LogManifest,
  type Manifest,
  type Member,
} from './format.ts';
import { directoryFiles, type Content } from './directory-files.ts';
import { copyLogs } from './log-copies.ts';
import { ARCHIVE_END, entryHead, padding } from './tar.ts';

export interface BackupProgress {
  what: 'files' | 'rows' | 'logs';
  /** Of `total`, where that is known. */
  done: number;
  total?: number;
  bytes: number;
}

export interface BackupSummary {
  takenAt: number;
  epoch: string;
  schema: number;
  files: number;
  rows: number;
  logs: number;
  /** Builds that had no result yet. */
  running: number;
  /** Bytes before compression. */
  bytes: number;
  /** Logs that retention removed meanwhile, and logs whose files were missing before. */
  pruned: number[];
  missing: number[];
  /** Paths in the directory that are not in it, since a name or a link's target is not UTF-8. */
  leftOut: string[];
}

/** Low enough that a backup is as fast as the disk; logs are compressed already, rows become a tenth. */
const LEVEL = 3;

/**
 * Writes a backup of a master's directory and store to `output`: rows as they were at one moment, then every log that they speak of, as far as
 * it had come. The farm may go on meanwhile. `store` may be opened for reading only. Rejects with `signal`'s reason, or what the disk said.
 */
export async function writeBackup(options: {
  dir: string;
  store: Store;
  /** Files in the directory that are not to be taken: the backup itself, the store's own. */
  without: readonly string[];
  output: Writable;
  version: string;
  clock: Clock;
  signal: AbortSignal;
  onProgress?: (progress: BackupProgress) => void;
}): Promise<BackupSummary> {
  const { output, signal } = options;
  const summary: BackupSummary = {
    takenAt: options.clock.wall(),
    epoch: options.store.epoch,
    schema: options.store.schema,
    files: 0,
    rows: 0,
    logs: 0,
    running: 0,
    bytes: 0,
    pruned: [],
    missing: [],
    leftOut: [],
  };
  const compress = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const archive = Readable.from(archiveOf(options, summary), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
  await pipeline(archive, compress, output, { signal });
  return summary;
}

async function* archiveOf(
  options: Parameters<typeof writeBackup>[0],
  summary: BackupSummary,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { dir, store, signal, version, onProgress } = options;
  const layout = masterLayout(dir);
  let members: Member[] = [];
  const put = async function* ({ entry, bytes }: Content) {
    yield entryHead(entry, summary.takenAt);
    const hash = createHash('sha256');
    if (entry.kind === 'link') hash.update(entry.target ?? '');
    for await (const piece of bytes) {
      signal.throwIfAborted();
      hash.update(piece);
      summary.bytes += piece.length;
      yield piece;
    }
    yield padding(entry.size);
    members.push({ path: entry.path, bytes: entry.size, sha256: hash.digest('hex') });
  };
  const putJson = (path: string, value: unknown) =>
    put(textOf(path, Buffer.from(`${JSON.stringify(value)}\n`)));

  const logids: number[] = [];
  const tables: Record<string, number> = {};
  // What is asked first decides which moment the rows are of.
  yield* inSnapshot(store, async function* (db) {
    const last = await lastIds(store, db);
    summary.takenAt = options.clock.wall();
    const head: BackupHead = {
      format: BACKUP_FORMAT,
      version,
      schema: store.schema,
      epoch: store.epoch,
      takenAt: summary.takenAt,
      dialect: store.dialect,
    };
    yield* putJson(HEAD, head);
    for await (const found of directoryFiles(layout, options.without)) {
      if (found.kind === 'leftOut') {
        summary.leftOut.push(found.path);
        continue;
      }
      yield* put(found.content);
      summary.files += 1;
      onProgress?.({ what: 'files', done: summary.files, bytes: summary.bytes });
    }
    for (const table of dumpedOf(store)) {
      let piece = 0;
      tables[table.name] = 0;
      const onRow = (row: Record<string, unknown>) => {
        // A small log stands in its row; in an older schema no log does.
        const hasFile = row['pruned'] === 0 && (row['content'] ?? null) === null;
        if (table.name === 'logs' && hasFile) logids.push(row['logid'] as number);
        if (table.name === 'builds' && row['complete_at'] === null) summary.running += 1;
      };
      for await (const { rows, bytes } of dumpTable(db, table, onRow)) {
        piece += 1;
        yield* put(textOf(`rows/${table.name}/${String(piece).padStart(6, '0')}.jsonl`, bytes));
        tables[table.name]! += rows;
        summary.rows += rows;
        onProgress?.({ what: 'rows', done: summary.rows, bytes: summary.bytes });
      }
    }
    const manifest: Manifest = { members, tables, lastIds: last, running: summary.running };
    members = [];
    yield* putJson(MANIFEST, manifest);
  });

  const [{ sha256 }] = members.splice(0) as [Member];
  for await (const found of copyLogs(store, layout.logs, logids)) {
    if (found.kind !== 'content') summary[found.kind].push(found.logid);
    else {
      yield* put(found.content);
      summary.logs += 1;
    }
    onProgress?.({ what: 'logs', done: summary.logs, total: logids.length, bytes: summary.bytes });
  }
  const { pruned, missing } = summary;
  const last: LogManifest = { members, manifest: sha256, pruned, missing };
  yield* putJson(LOG_MANIFEST, last);
  yield ARCHIVE_END;
}

function textOf(path: string, bytes: Buffer): Content {
  return { entry: { path, kind: 'file', size: bytes.length, mode: 0o600 }, bytes: [bytes] };
}

/** A generator whose body runs inside a snapshot of the rows; what reads it decides how fast. */
async function* inSnapshot(
  store: Store,
  body: (db: Db) => AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const opened = Promise.withResolvers<Db>();
  const over = Promise.withResolvers<void>();
  const held = store.snapshot(async (db) => {
    opened.resolve(db);
    await over.promise;
  });
  held.catch((error: unknown) => opened.reject(error));
  try {
    yield* body(await opened.promise);
  } finally {
    over.resolve();
    await held;
  }
}

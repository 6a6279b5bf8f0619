import { createHash } from 'node:crypto';
import { mkdir, open, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import * as z from 'zod';
import { BbxError, errnoOf } from '../base/error.ts';
import { codes } from './codes.ts';
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
import { readEntries, type Entry } from './tar.ts';

const count = z.number().int().nonnegative();
const member = z.object({ path: z.string(), bytes: count, sha256: z.string() });
const headSchema = z.object({
  format: z.string(),
  version: z.string(),
  schema: count.min(1),
  epoch: z.string(),
  takenAt: z.number(),
  dialect: z.string(),
});
const manifestSchema = z.object({
  members: z.array(member),
  tables: z.record(z.string(), count),
  lastIds: z.record(z.string(), count),
  running: count,
});
const logManifestSchema = z.object({
  members: z.array(member),
  manifest: z.string(),
  pruned: z.array(count),
  missing: z.array(count),
});

/** What was unpacked and compared. */
export interface Unpacked {
  head: BackupHead;
  manifest: Manifest;
  /** Undefined where the backup is damaged among the logs, and that was allowed. */
  logs: LogManifest | undefined;
  /** The trouble that was allowed. */
  damage: string | undefined;
  /** Folder of the rows' files. */
  rowsDir: string;
  /** Logs that are there and hold. */
  logFiles: number;
  bytes: number;
}

/** The largest of the entries that are read as one: a manifest of some million logs. */
const TEXT_LIMIT_BYTES = 512 * 1024 * 1024;

/**
 * Unpacks a backup into `dir`, which is new: the master's files where they belong, rows under `.bbx/restored-rows`. When it resolves, every byte is
 * what was written. With `damaged` trouble among the logs is allowed: those that hold are there. Throws BBX-BAK-….
 */
export async function unpackBackup(options: {
  source: Readable;
  /** For messages. */
  name: string;
  dir: string;
  knownSchema: number;
  damaged: boolean;
  signal: AbortSignal;
  onProgress?: (done: { entries: number; bytes: number }) => void;
}): Promise<Unpacked> {
  const { source, name, dir, signal } = options;
  const rowsDir = join(dir, '.bbx', 'restored-rows');
  const seen = new Map<string, Member>();
  const links = new Map<string, { place: string; target: string }>();
  let head: BackupHead | undefined;
  let manifest: Manifest | undefined;
  let logs: LogManifest | undefined;
  let bytes = 0;
  let entries = 0;
  let logFiles = 0;
  let damage: string | undefined;

  const plain = source.pipe(createZstdDecompress());
  source.on('error', (error) => plain.destroy(error));
  try {
    for await (const { entry, content } of readEntries(plain)) {
      signal.throwIfAborted();
      if (logs !== undefined) throw new Damage('something stands behind its end');
      entries += 1;
      const { path } = entry;
      if (path === HEAD || path === MANIFEST || path === LOG_MANIFEST) {
        const text = await textOf(entry, content, seen);
        if (path === HEAD) head = checkedHead(text, options);
        else if (path === MANIFEST) {
          manifest = parsed(manifestSchema, text, path);
          compare(manifest.members, [...seen.values()].slice(0, -1));
        } else {
          logs = parsed(logManifestSchema, text, path);
          const own = [...seen.values()].slice((manifest?.members.length ?? 0) + 1, -1);
          compare(logs.members, own);
          if (logs.manifest !== seen.get(MANIFEST)?.sha256) throw new Damage(`"${MANIFEST}" is not the one`);
        }
        continue;
      }
      if (head === undefined) throw notOne(name, `its first entry is "${path.slice(0, 100)}"`);
      const place = placeOf(path, dir, rowsDir);
      if (place === undefined || seen.has(path)) throw new Damage(`it has an entry "${path.slice(0, 100)}"`);
      if (path.startsWith('logs/') !== (manifest !== undefined))
        throw new Damage(`"${path}" stands out of order`);
      if (foldersOf(path).some((folder) => links.has(folder)))
        throw new Damage(`"${path.slice(0, 100)}" leads through a link`);
      const { target } = entry;
      if (target === undefined) await writeFile(entry, content, place, seen, signal);
      else {
        links.set(path, { place, target });
        seen.set(path, {
          path,
          bytes: entry.size,
          sha256: createHash('sha256').update(target).digest('hex'),
        });
      }
      bytes += entry.size;
      if (manifest !== undefined) logFiles += 1;
      options.onProgress?.({ entries, bytes });
    }
    if (logs === undefined) throw new Damage('its end is missing');
  } catch (error) {
    signal.throwIfAborted();
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    if (head === undefined) throw notOne(name, problem, error);
    if (manifest === undefined || !options.damaged) {
      throw codes['BBX-BAK-DAMAGED'](
        {
          file: name,
          problem: `${problem} (after ${[...seen.keys()].at(-1) ?? 'its head'})`,
          rescue: manifest !== undefined,
        },
        { cause: error },
      );
    }
    damage = problem;
  } finally {
    source.destroy();
    plain.destroy();
  }
  await makeLinks(links.values());
  return { head: head!, manifest: manifest!, logs, damage, rowsDir, logFiles, bytes };
}

/** Something in a backup that is not as it was written. */
class Damage extends Error {}

function checkedHead(text: string, { name, knownSchema }: { name: string; knownSchema: number }): BackupHead {
  const head = parsed(headSchema, text, HEAD);
  if (head.format !== BACKUP_FORMAT)
    throw codes['BBX-BAK-NEWER']({ file: name, found: head.format, known: BACKUP_FORMAT });
  if (head.schema > knownSchema) {
    const [found, known] = [`schema ${head.schema}`, `up to schema ${knownSchema}`];
    throw codes['BBX-BAK-NEWER']({ file: name, found, known });
  }
  return { ...head, format: BACKUP_FORMAT };
}

function parsed<Schema extends z.ZodType>(schema: Schema, text: string, path: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Damage(`"${path}" cannot be read`);
  }
}

/** Every entry that was announced is there with its sum, and no other. */
function compare(announced: readonly Member[], found: readonly Member[]): void {
  for (const [index, { path, bytes, sha256 }] of announced.entries()) {
    const own = found[index];
    if (own?.path !== path) throw new Damage(`"${path}" is missing`);
    if (own.bytes !== bytes || own.sha256 !== sha256) throw new Damage(`"${path}" is not what was written`);
  }
  const more = found[announced.length];
  if (more !== undefined) throw new Damage(`"${more.path}" was not announced`);
}

/** Where an entry goes; undefined for a path that no backup has. */
function placeOf(path: string, dir: string, rowsDir: string): string | undefined {
  const parts = path.split('/');
  const [top, ...rest] = parts;
  const sound = rest.length > 0 && rest.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!sound || path.includes('\0')) return undefined;
  if (top === 'files') return join(dir, ...rest);
  if (top === 'rows') return join(rowsDir, ...rest);
  return top === 'logs' ? join(dir, 'logs', ...rest) : undefined;
}

/** The paths of the folders that a path leads through. */
function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** The last act, so that nothing is written through a link, wherever it leads. Where rows or logs stand by now, they stay. */
async function makeLinks(links: Iterable<{ place: string; target: string }>): Promise<void> {
  for (const { place, target } of links) {
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    try {
      await symlink(target, place);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}

async function writeFile(
  entry: Entry,
  content: AsyncIterable<Uint8Array>,
  place: string,
  seen: Map<string, Member>,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const hash = createHash('sha256');
  const handle = await open(place, 'wx', 0o600);
  try {
    for await (const piece of content) {
      signal.throwIfAborted();
      hash.update(piece);
      await handle.write(piece);
    }
    await handle.chmod(entry.mode);
  } finally {
    await handle.close();
  }
  seen.set(entry.path, { path: entry.path, bytes: entry.size, sha256: hash.digest('hex') });
}

async function textOf(
  entry: Entry,
  content: AsyncIterable<Uint8Array>,
  seen: Map<string, Member>,
): Promise<string> {
  if (entry.size > TEXT_LIMIT_BYTES) throw new Damage(`"${entry.path}" is too large`);
  const parts: Uint8Array[] = [];
  for await (const piece of content) parts.push(Buffer.from(piece));
  const bytes = Buffer.concat(parts);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  seen.set(entry.path, { path: entry.path, bytes: bytes.length, sha256 });
  return bytes.toString('utf8');
}

function notOne(file: string, problem: string, cause?: unknown): BbxError {
  return codes['BBX-BAK-NOT-ONE']({ file, problem }, { cause });
}

/** What is wrong with the backup; undefined for trouble of another kind (a full disk, a fault). */
function problemOf(error: unknown): string | undefined {
  if (error instanceof Damage) return error.message;
  if (!(error instanceof Error) || error instanceof BbxError) return undefined;
  if (error.name === 'ArchiveError') return error.message;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return undefined;
  if (code === 'Z_BUF_ERROR') return 'it ends too early';
  return /^(ZSTD_|Z_|ERR_ZSTD|ERR_ZLIB)/.test(code) ? 'its compressed bytes do not hold' : undefined;
}

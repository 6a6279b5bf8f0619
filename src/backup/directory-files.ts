import { isUtf8 } from 'node:buffer';
import { open, readdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { masterLayout } from '../config/layout.ts';
import { errnoOf } from '../base/error.ts';
import { writtenOut } from '../base/unsafe-text.ts';
import { isBackup } from './recognise.ts';
import type { Entry } from './tar.ts';

/** Bytes read at once. */
export const READ_BYTES = 256 * 1024;

/** Copies of repositories: whatever is in them comes again by itself. */
const MIRRORS = join('.bbx', 'mirrors');

/** What an entry holds: bytes as they come, exactly `size` of them. */
export interface Content {
  entry: Entry;
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export type FoundFile = { kind: 'content'; content: Content } | { kind: 'leftOut'; path: string };

/**
 * Files and links of a master's directory, less its logs, locks, sockets, earlier backups (each would hold all those before it) and what
 * `without` names. What goes away meanwhile is not among them. `leftOut`: a file, a folder with all in it, or a link whose name or target is
 * not UTF-8, as the paths of an archive are; such a name has its bytes as `\xff`.
 */
export async function* directoryFiles(
  layout: ReturnType<typeof masterLayout>,
  without: readonly string[],
): AsyncGenerator<FoundFile, void, undefined> {
  const { root } = layout;
  const left = new Set([layout.logs, layout.lock, `${layout.lock}.pid`, join(root, MIRRORS), ...without]);
  const links: Content[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await unlessGone(readdir(folder, { withFileTypes: true, encoding: 'buffer' }), []);
    for (const found of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
      const name = found.name.toString();
      const place = join(folder, name);
      if (left.has(place) || isPassing(name)) continue;
      if (!isUtf8(found.name)) {
        if (found.isDirectory() || found.isFile() || found.isSymbolicLink())
          yield { kind: 'leftOut', path: relative(root, join(folder, bytesWrittenOut(found.name))) };
        continue;
      }
      const path = `files/${relative(root, place)}`;
      if (found.isDirectory()) folders.push(place);
      if (found.isFile() && !(await isBackup(place))) {
        const content = await fileContent(place, path);
        if (content !== undefined) yield { kind: 'content', content };
      }
      if (found.isSymbolicLink()) {
        const bytes = await unlessGone(readlink(place, 'buffer'), undefined);
        if (bytes === undefined) continue;
        const target = bytes.toString();
        if (isUtf8(bytes))
          links.push({ entry: { path, kind: 'link', size: 0, mode: 0o777, target }, bytes: [] });
        else yield { kind: 'leftOut', path: relative(root, place) };
      }
    }
  }
  // Last, so that nothing is ever written through one.
  for (const content of links) yield { kind: 'content', content };
}

/** A name that is no text: what is no printable ASCII is written as `\xff`. */
function bytesWrittenOut(name: Buffer): string {
  return name.toString('latin1').replace(/[^ -~]/g, writtenOut);
}

/** Files that are being written, to be renamed; by bbx or by an editor. */
function isPassing(name: string): boolean {
  return /\.new(-\d+)?$|\.partial-\d+$|~$|^\..*\.sw[a-p]$/.test(name);
}

/** What was found; `instead` where it went away before it was looked at. */
async function unlessGone<T>(looking: Promise<T>, instead: T): Promise<T> {
  try {
    return await looking;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return instead;
    throw error;
  }
}

/** A file's bytes as far as they go now; undefined when it is gone. */
export async function fileContent(place: string, path: string): Promise<Content | undefined> {
  const source = await unlessGone(open(place, 'r'), undefined);
  if (source === undefined) return undefined;
  const { size, mode } = await source.stat();
  const bytes = async function* () {
    try {
      for (let at = 0; at < size;) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, size - at));
        const { bytesRead } = await source.read(buffer, 0, buffer.length, at);
        // A file that became shorter meanwhile: what is missing reads as zeros, which no checksum takes for anything else.
        yield bytesRead === 0 ? buffer.fill(0) : buffer.subarray(0, bytesRead);
        at += bytesRead === 0 ? buffer.length : bytesRead;
      }
    } finally {
      await source.close();
    }
  };
  return { entry: { path, kind: 'file', size, mode: mode & 0o777 }, bytes: bytes() };
}

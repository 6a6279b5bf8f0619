import { open, readdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { masterLayout } from '../config/layout.ts';
import { errnoOf } from '../base/error.ts';
import { isBackup } from './recognise.ts';
import type { Content } from './write.ts';

/** Bytes read at once. */
export const READ_BYTES = 256 * 1024;

/** Copies of repositories: whatever is in them comes again by itself. */
const MIRRORS = join('.bbx', 'mirrors');

/**
 * Files and links of a master's directory, less its logs, locks, sockets, earlier backups (each would hold all those before it) and what
 * `without` names. What goes away meanwhile is left out.
 */
export async function* directoryFiles(
  layout: ReturnType<typeof masterLayout>,
  without: readonly string[],
): AsyncGenerator<Content, void, undefined> {
  const { root } = layout;
  const left = new Set([layout.logs, layout.lock, `${layout.lock}.pid`, join(root, MIRRORS), ...without]);
  const links: Content[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await unlessGone(readdir(folder, { withFileTypes: true }), []);
    for (const found of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const place = join(folder, found.name);
      if (left.has(place) || isPassing(found.name)) continue;
      const path = `files/${relative(root, place)}`;
      if (found.isDirectory()) folders.push(place);
      if (found.isFile() && !(await isBackup(place))) {
        const content = await fileContent(place, path);
        if (content !== undefined) yield content;
      }
      if (found.isSymbolicLink()) {
        const target = await unlessGone(readlink(place), undefined);
        if (target === undefined) continue;
        links.push({ entry: { path, kind: 'link', size: 0, mode: 0o777, target }, bytes: [] });
      }
    }
  }
  // Last, so that nothing is ever written through one.
  yield* links;
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

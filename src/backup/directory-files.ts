import { open, readdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { masterLayout } from '../config/layout.ts';
import { errnoOf } from '../base/error.ts';
import type { Content } from './write.ts';

/** Bytes read at once. */
export const READ_BYTES = 256 * 1024;

/** Copies of repositories: whatever is in them comes again by itself. */
const MIRRORS = join('.bbx', 'mirrors');

/** Files and links of a master's directory, less its logs, locks, sockets and what `without` names. */
export async function* directoryFiles(
  layout: ReturnType<typeof masterLayout>,
  without: readonly string[],
): AsyncGenerator<Content, void, undefined> {
  const { root } = layout;
  const left = new Set([layout.logs, layout.lock, `${layout.lock}.pid`, join(root, MIRRORS), ...without]);
  const links: Content[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const found of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const place = join(folder, found.name);
      if (left.has(place) || isPassing(found.name)) continue;
      const path = `files/${relative(root, place)}`;
      if (found.isDirectory()) folders.push(place);
      if (found.isFile()) {
        const content = await fileContent(place, path);
        if (content !== undefined) yield content;
      }
      if (found.isSymbolicLink()) {
        const target = await readlink(place);
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

/** A file's bytes as far as they go now; undefined when it is gone. */
export async function fileContent(place: string, path: string): Promise<Content | undefined> {
  let handle;
  try {
    handle = await open(place, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const source = handle;
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

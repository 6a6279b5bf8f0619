import { cp, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Left } from './disk.ts';

/** A copy of a directory's files as they are; sockets and the like are no part of a disk. */
export async function keepBase(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: async (path) => {
      const found = await lstat(path);
      return found.isFile() || found.isDirectory();
    },
  });
}

/** Makes a directory what a cut has left; what is the same is there already, or comes from `base`. */
export async function layOut(left: Left, base: string, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const files: Left = new Map([...left].filter(([path]) => !isLive(path)));
  const there = new Set<string>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = relative(dir, join(entry.parentPath, entry.name));
    if (files.has(path)) there.add(path);
    else await rm(join(dir, path), { recursive: true, force: true });
  }
  for (const [path, content] of files) {
    const target = join(dir, path);
    if (content === 'folder') await mkdir(target, { recursive: true });
    else if (content === 'same') {
      if (!there.has(path)) await cp(join(base, path), target);
    } else {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content, { mode: 0o600 });
    }
  }
}

/** SQLite's shared memory and sockets do not survive any start of the machine. */
const isLive = (path: string) => path.endsWith('-shm') || path.endsWith('.sock');

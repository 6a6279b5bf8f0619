import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BbxError } from '../../../src/base/error.ts';
import { lockDirectory } from '../../../src/exec/directory-lock.ts';
import { watchLocked } from '../../../src/exec/directory-watch.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const LOOK_MS = 5;

test.each<[string, (dir: string, lock: string) => Promise<unknown>]>([
  ['its directory was deleted', (dir) => rm(dir, { recursive: true })],
  ['its directory was moved away', (dir) => rename(dir, `${dir}-old`)],
  ['the file alone was deleted', (_, lock) => rm(lock)],
  [
    'another file stands in its place',
    // As a restore does it: the old one is still there when the new one is made, so that their numbers differ.
    async (_, lock) => {
      await writeFile(`${lock}.new`, '');
      await rename(`${lock}.new`, lock);
    },
  ],
  [
    'a file stands where the directory was',
    async (dir) => {
      await rm(dir, { recursive: true });
      await writeFile(dir, '');
    },
  ],
])('the holder of a lock file hears once that %s', async (_, change) => {
  await using temp = await tempDir();
  const dir = join(temp.path, 'w1');
  const path = join(dir, '.bbx', 'lock');
  using _lock = await lockDirectory(path);
  const heard: BbxError[] = [];
  using _watch = watchLocked(path, (error) => heard.push(error), LOOK_MS);
  await change(dir, path);
  await expect.poll(() => heard.length).toBe(1);
  expect(heard[0]).toMatchObject({ code: 'BBX-EXE-GONE', exit: 6, data: { path: dir } });
  await mkdir(dir, { recursive: true }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 4 * LOOK_MS));
  expect(heard).toHaveLength(1);
});

test('a lock file that is written to, or given another mode, is still there', async () => {
  await using temp = await tempDir();
  const path = join(temp.path, 'lock');
  using lock = await lockDirectory(path);
  const heard: BbxError[] = [];
  using _watch = watchLocked(path, (error) => heard.push(error), LOOK_MS);
  await chmod(path, 0o640);
  await new Promise((resolve) => setTimeout(resolve, 6 * LOOK_MS));
  expect(heard).toEqual([]);
  lock.release();
});

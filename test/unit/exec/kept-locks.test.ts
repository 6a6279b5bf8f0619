import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockDirectory } from '../../../src/exec/directory-lock.ts';
import { createKeptLocks } from '../../../src/exec/kept-locks.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const LOCKED = { code: 'BBX-EXE-LOCKED' };

it('keeps a lock between its uses, and gives it to one at a time', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, '.bbx', 'lock');
  const locks = createKeptLocks();
  const first = await locks.take(path);
  await expect(locks.take(path)).rejects.toMatchObject(LOCKED);
  first.release();
  first.release();
  await expect(lockDirectory(path)).rejects.toMatchObject(LOCKED);
  const second = await locks.take(path);
  await expect(locks.take(path)).rejects.toMatchObject(LOCKED);
  locks[Symbol.dispose]();
  await expect(lockDirectory(path)).rejects.toMatchObject(LOCKED);
  second.release();
  using _free = await lockDirectory(path);
});

it('takes a lock anew when its file was removed', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, '.bbx', 'lock');
  using locks = createKeptLocks();
  (await locks.take(path)).release();
  await rm(join(dir.path, '.bbx'), { recursive: true });
  using _again = await locks.take(path);
  await expect(lockDirectory(path)).rejects.toMatchObject(LOCKED);
});

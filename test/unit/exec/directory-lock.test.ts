import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { lockDirectory } from '../../../src/exec/directory-lock.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const MODULE = join(import.meta.dirname, '../../../src/exec/directory-lock.ts');
const CONFLICT = { code: 'BBX-EXE-LOCKED', exit: 8 };

test('a second one in the same process is refused, and the first stays locked for other processes', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, '.bbx', 'lock');
  using _lock = await lockDirectory(path);
  await expect(lockDirectory(path)).rejects.toMatchObject({
    ...CONFLICT,
    data: { path: dir.path, pid: process.pid },
  });
  const other = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    `const { lockDirectory } = await import(${JSON.stringify(MODULE)}); await lockDirectory(${JSON.stringify(path)}).catch((e) => console.log(e.code))`,
  ]);
  expect(other.stdout.trim()).toBe('BBX-EXE-LOCKED');
});

test('a released lock can be taken again; its file is for its owner alone', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'lock');
  const first = await lockDirectory(path);
  first.release();
  first.release();
  using _second = await lockDirectory(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('the system frees the lock of a process that was killed', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'lock');
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { lockDirectory } = await import(${JSON.stringify(MODULE)}); globalThis.lock = await lockDirectory(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000)`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  await expect(lockDirectory(path)).rejects.toMatchObject({ ...CONFLICT, data: { pid: holder.pid } });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  using _lock = await lockDirectory(path);
});

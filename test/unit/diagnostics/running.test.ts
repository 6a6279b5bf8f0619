import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isHeld } from '../../../src/diagnostics/running.ts';
import { lockDirectory } from '../../../src/exec/directory-lock.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

describe('the lock of a directory', () => {
  it('is seen from outside, and not disturbed', async () => {
    await using dir = await tempDir();
    const file = join(dir.path, '.bbx', 'lock');
    expect(await isHeld(file)).toBe(false);
    const lock = await lockDirectory(file);
    expect(await isHeld(file)).toBe(true);
    expect(await isHeld(file)).toBe(true);
    lock.release();
    expect(await isHeld(file)).toBe(false);
  });

  it('is not known where nothing can be seen', async () => {
    await using dir = await tempDir();
    const file = join(dir.path, '.bbx', 'lock');
    using _lock = await lockDirectory(file);
    expect(await isHeld(file, join(dir.path, 'no-proc'))).toBeUndefined();
    if (process.getuid?.() === 0) return;
    await chmod(join(dir.path, '.bbx'), 0o000);
    expect(await isHeld(file)).toBeUndefined();
    await chmod(join(dir.path, '.bbx'), 0o700);
  });
});

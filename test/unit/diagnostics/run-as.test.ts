import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRunAs } from '../../../src/diagnostics/doors/run-as.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

describe('the user that builds run as', () => {
  it.each([
    ['bbx-no-such-user', 'missing'],
    ['--help', 'missing'],
    ['root', 'root'],
  ])('%s is %s', async (user, state) => {
    await using dir = await tempDir();
    expect(await readRunAs(user, dir.path)).toMatchObject({ user, state });
  });

  it('is held up by the first directory above the worker that it may not pass, not by the worker’s own', async () => {
    await using dir = await tempDir();
    const above = join(dir.path, 'above');
    const worker = join(above, 'worker');
    await mkdir(worker, { recursive: true, mode: 0o700 });
    await chmod(dir.path, 0o711);
    for (const [mode, closed] of [
      [0o700, above],
      [0o711, null],
    ] as const) {
      await chmod(above, mode);
      expect(await readRunAs('nobody', worker)).toMatchObject({ state: 'known', closed, unseen: null });
    }
  });
});

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { command } from '../../rigs/command.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

/** `bbx doctor …` beside `old/master`, a stock master's directory, and `empty`. */
async function doctor(...words: string[]) {
  await using dir = await tempDir();
  await mkdir(join(dir.path, 'old/master'), { recursive: true });
  await mkdir(join(dir.path, 'empty'));
  await writeFile(join(dir.path, 'old/master/master.cfg'), 'c = BuildmasterConfig = {}\n');
  return await command(['doctor', ...words], { cwd: dir.path });
}

describe('doctor --dir', () => {
  it.each([
    ['source', 'old/master'],
    ['mail', 'old/master'],
    ['config', 'old'],
  ])("takes stock Buildbot's directory for what reads its files: %s in %s", async (topic, dir) => {
    const { code, stderr } = await doctor(topic, '--dir', dir, '--only', 'CFG,STK');
    expect(stderr).toBe('');
    expect(code).not.toBe(6);
  });

  it.each([
    ['listen', 'old/master'],
    ['source', 'empty'],
    ['source', 'nowhere'],
  ])('ends with 6 where nothing is that it could read: %s in %s', async (topic, dir) => {
    const { code, stderr } = await doctor(topic, '--dir', dir);
    expect(code).toBe(6);
    expect(stderr).toContain("Cannot find a master's or a worker's directory");
  });
});

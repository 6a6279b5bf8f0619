import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replaceFile } from '../../../src/config/replace-file.ts';
import { writeWhole } from '../../../src/config/whole-file.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

describe('a file that is written whole', () => {
  it('has its mode whatever the umask, and leaves nothing beside it', async () => {
    await using dir = await tempDir();
    const file = join(dir.path, 'file');
    for (const [text, mode] of [
      ['one', 0o600],
      ['two', 0o666],
    ] as const) {
      await writeWhole(file, text, { mode });
      expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual([text, mode]);
    }
    expect(await readdir(dir.path)).toEqual(['file']);
  });

  it('goes over what a killed process of the same number has left', async () => {
    await using dir = await tempDir();
    const file = join(dir.path, 'file');
    await writeFile(`${file}.new-${process.pid}`, 'half');
    await writeWhole(file, 'whole', { mode: 0o600 });
    expect(await readFile(file, 'utf8')).toBe('whole');
    expect(await readdir(dir.path)).toEqual(['file']);
  });

  it('is as it was when it cannot be written', async () => {
    await using dir = await tempDir();
    await expect(writeWhole(join(dir.path, 'missing', 'file'), 'x', { mode: 0o600 })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await readdir(dir.path)).toEqual([]);
  });

  it('keeps mode and link of the one that it replaces', async () => {
    await using dir = await tempDir();
    const [file, link] = [join(dir.path, 'file'), join(dir.path, 'link')];
    await writeFile(file, 'one');
    await chmod(file, 0o640);
    await symlink('file', link);
    await replaceFile(link, 'two');
    expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual(['two', 0o640]);
    expect((await readdir(dir.path)).sort()).toEqual(['file', 'link']);
  });
});

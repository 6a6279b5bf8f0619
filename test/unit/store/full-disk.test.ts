import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const FILLER = join(import.meta.dirname, '../../fixtures/store/filler.ts');

it('a full disk is a retryable error, and the log stands as it was before', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'bbx-full-'));
  // The limit on a file's size stands in for the disk's: the write that crosses it is done in part, like that on a full disk.
  const limited = async (blocks: number, work: string): Promise<unknown> => {
    const script = `ulimit -f ${blocks}; exec "$0" "$@"`;
    const { stdout } = await run('sh', ['-c', script, process.execPath, FILLER, dir, work]);
    return JSON.parse(stdout);
  };
  try {
    expect(await limited(200, 'append')).toEqual({
      code: 'BBX-STO-FULL',
      retryable: true,
      fileCut: true,
      readable: true,
      smallerFits: true,
    });
    expect(await limited(100, 'finish')).toEqual({ code: 'BBX-STO-FULL', readable: true, files: ['1.log'] });
    expect(await limited(1_000, 'finish')).toEqual({ code: 'finished', readable: true, files: ['1.zst'] });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

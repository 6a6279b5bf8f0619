import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { skipAloud, wantOfLinux } from '../../rigs/skip-aloud.ts';

const FIXTURE = join(import.meta.dirname, '../../fixtures/exec/few-descriptors.ts');

it.skipIf(skipAloud('few descriptors', wantOfLinux))(
  'the processes of a step are found by one that has no file descriptor left',
  async () => {
    const script = 'ulimit -n 64; exec "$0" "$@"';
    const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, FIXTURE], {
      timeout: 20_000,
    });
    expect(JSON.parse(stdout)).toEqual({ before: 1, errno: 'EMFILE', after: [1, 1] });
  },
  30_000,
);

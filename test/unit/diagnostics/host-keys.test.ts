import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHostKeys } from '../../../src/diagnostics/doors/host-keys.ts';
import { askTool } from '../../../src/exec/ask.ts';
import { repositorySubject } from '../../../src/diagnostics/plan/sources.ts';
import { skipAloud } from '../../rigs/skip-aloud.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

/** What the doctor reads for a URL where ssh's configuration says `lines` of `git.test`, which is this host. Nothing listens there. */
async function read(url: string, lines: string) {
  await using dir = await tempDir();
  const config = join(dir.path, 'config');
  await writeFile(config, `Host git.test\n  HostName 127.0.0.1\n  UserKnownHostsFile none\n${lines}\n`);
  return await readHostKeys(repositorySubject(url, { source: 'command line' }), {
    env: { GIT_SSH_COMMAND: `ssh -F '${config}'` },
    signal: AbortSignal.timeout(20_000),
  });
}

const { missing } = await askTool('ssh', ['-V'], { timeoutMs: 10_000 });
const isLeftOut = skipAloud('the keys of an ssh server', missing ? 'no ssh client is installed' : undefined);

describe.skipIf(isLeftOut)('the keys of an ssh server', () => {
  it.each([
    ['git@git.test:app.git', '  Port 9', { host: '127.0.0.1', port: 9 }, '[127.0.0.1]:9'],
    ['ssh://git@git.test/app.git', '  Port 9', { host: '127.0.0.1', port: 9 }, '[127.0.0.1]:9'],
    ['ssh://git@git.test:7/app.git', '  Port 9', { host: '127.0.0.1', port: 7 }, '[127.0.0.1]:7'],
    ['ssh://git@git.test:7/app.git', '  HostKeyAlias forge', { host: '127.0.0.1', port: 7 }, '[forge]:7'],
  ])('%s with "%s" is asked where ssh would go', async (url, lines, scanned, name) => {
    expect(await read(url, lines)).toMatchObject({ scanned, name });
  });

  it.each([
    ['  ProxyJump gate.test', 'ssh goes there through another host'],
    ['  VerifyHostKeyDNS yes', 'ssh takes keys from elsewhere than files'],
    ['  KnownHostsCommand /usr/bin/true', 'ssh takes keys from elsewhere than files'],
  ])('are not compared with "%s"', async (lines, because) => {
    expect(await read('git@git.test:app.git', lines)).toMatchObject({ because, known: [] });
  });
});

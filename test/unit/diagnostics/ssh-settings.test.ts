import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSshWays } from '../../../src/diagnostics/doors/ssh-settings.ts';
import { sourcesInQuestion } from '../../../src/diagnostics/plan/sources.ts';
import { askTool } from '../../../src/exec/ask.ts';
import { skipAloud } from '../../rigs/skip-aloud.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const CONFIG = `Host forge
  HostName git.example
  Port 2222
Host inside
  ProxyJump gate.example
Host hidden
  ProxyCommand nc -X 5 -x me:secret@proxy.example %h %p
`;

/** Where the doctor looks for repositories where ssh's configuration is this one. */
async function asked(urls: readonly string[]) {
  await using dir = await tempDir();
  const config = join(dir.path, 'config');
  await writeFile(config, CONFIG);
  const sshWays = await readSshWays(urls, {
    env: { GIT_SSH_COMMAND: `ssh -F '${config}'` },
    signal: AbortSignal.timeout(20_000),
  });
  return sourcesInQuestion(
    { topic: 'source', urls },
    {
      directory: { master: undefined, worker: undefined, beside: undefined },
      ownNames: [],
      ownAddresses: [],
      sshWays,
    },
  );
}

const { missing } = await askTool('ssh', ['-V'], { timeoutMs: 10_000 });
const isLeftOut = skipAloud("ssh's configuration", missing ? 'no ssh client is installed' : undefined);

describe.skipIf(isLeftOut)("a repository's host, by ssh's configuration", () => {
  it.each([
    ['git@forge:app.git', 'git.example', 2222],
    ['ssh://git@forge/app.git', 'git.example', 2222],
    ['ssh://git@forge:7/app.git', 'git.example', 7],
    ['git@plain.example:app.git', 'plain.example', 22],
    // No matter of ssh.
    ['https://forge/app.git', 'forge', 443],
  ])('%s is %s, port %d', async (url, host, port) => {
    expect(await asked([url])).toMatchObject([{ url, host, port }]);
  });

  it.each([
    ['git@inside:app.git', 'ProxyJump gate.example'],
    ['git@hidden:app.git', 'ProxyCommand'],
  ])('%s is reached through another, and never from here', async (url, through) => {
    expect(await asked([url])).toMatchObject([{ host: null, port: null, ssh: { through } }]);
  });
});

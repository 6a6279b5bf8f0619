import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitsBetween, lsRemote } from '../../src/exec/git.ts';
import { has } from '../rigs/debian.ts';
import { startFarm } from '../rigs/farm.ts';
import { gitRepository, type GitRepository } from '../rigs/git-repository.ts';
import { gitCommand, localPort, runOn, shellCommand } from '../rigs/local-port.ts';
import { startSshd, type Sshd } from '../rigs/sshd.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

// The list of Debian packages says aloud what is missing, and fails in CI.
describe.skipIf(!has('sshd') || !has('ssh') || !has('git'))('git over ssh', () => {
  const stack = new AsyncDisposableStack();
  let dir: string;
  let server: Sshd;
  let repository: GitRepository;
  let url: string;
  beforeAll(async () => {
    dir = stack.use(await tempDir()).path;
    server = stack.use(await startSshd(join(dir, 'sshd')));
    repository = await gitRepository(join(dir, 'app'), { 'a.txt': 'over ssh\n' });
    url = server.url(repository.path);
  });
  afterAll(() => stack.disposeAsync());

  /** What a person writes into GIT_SSH_COMMAND. */
  const ssh = (key: string, knownHosts: string) =>
    `ssh -F none -i ${key} -oIdentitiesOnly=yes -oUserKnownHostsFile=${knownHosts} -oGlobalKnownHostsFile=/dev/null`;
  const right = () => ssh(server.key, server.knownHosts);
  const head = () => repository.git('rev-parse', 'HEAD');
  const options = (command: string) => ({ env: { ...process.env, GIT_SSH_COMMAND: command } });

  it('lists and fetches for the poller with the key and the known hosts of GIT_SSH_COMMAND', async () => {
    const { refs, defaultBranch } = await lsRemote(url, [], options(right()));
    expect(defaultBranch).toBe('main');
    expect(refs.get('refs/heads/main')).toBe(await head());
    const wanted = {
      url,
      mirror: join(dir, 'mirror'),
      branch: 'main',
      from: null,
      to: await head(),
      limit: 5,
    };
    const commits = await commitsBetween(wanted, options(right()));
    expect(commits.map(({ revision, comments }) => [revision, comments])).toEqual([[await head(), 'first']]);
  });

  it('takes an ssh configuration file of its own', async () => {
    const file = join(dir, 'ssh_config');
    const lines = [
      `IdentityFile ${server.key}`,
      'IdentitiesOnly yes',
      `UserKnownHostsFile ${server.knownHosts}`,
    ];
    await writeFile(file, `Host *\n${lines.map((line) => `  ${line}\n`).join('')}`);
    expect((await lsRemote(url, [], options(`ssh -F ${file}`))).refs.size).toBe(1);
  });

  it.each([
    {
      what: 'a key that the server does not know',
      says: /Permission denied \(publickey\)/,
      key: 'strangersKey',
    },
    { what: 'a server that nobody vouched for', says: /Host key verification failed/, hosts: '/dev/null' },
  ] as const)(
    'says of $what in the words of ssh, at once and without a question',
    async ({ says, ...given }) => {
      const key = 'key' in given ? server[given.key] : server.key;
      const command = ssh(key, 'hosts' in given ? given.hosts : server.knownHosts);
      const started = performance.now();
      await expect(lsRemote(url, [], options(command))).rejects.toMatchObject({
        code: 'BBX-EXE-GIT',
        message: expect.stringMatching(says),
      });
      await using place = await localPort({ env: { GIT_SSH_COMMAND: command } });
      const end = await runOn(place.port, gitCommand({ repository: url, branch: 'main' }));
      expect(end.rc).toBe(128);
      expect(end.stderr).toMatch(says);
      // Far below the limit of a connection (20 s).
      expect(performance.now() - started).toBeLessThan(10_000);
    },
  );

  it('gives the command of the worker to git steps alone, and that of a builder goes before it', async () => {
    await using place = await localPort({ env: { GIT_SSH_COMMAND: right() } });
    const step = gitCommand({ repository: url, branch: 'main' });
    expect(await runOn(place.port, step)).toMatchObject({
      rc: 0,
      properties: { got_revision: await head() },
    });
    const shown = await runOn(place.port, shellCommand('echo "${GIT_SSH_COMMAND-none}"; cat a.txt'));
    expect(shown.stdout).toBe('none\nover ssh\n');
    const other = { ...step, env: { GIT_SSH_COMMAND: ssh(server.strangersKey, server.knownHosts) } };
    await repository.commit({ 'b.txt': 'b' });
    expect((await runOn(place.port, other)).stderr).toContain('Permission denied');
    await using bare = await localPort();
    const own = { ...step, env: { GIT_SSH_COMMAND: right() } };
    expect((await runOn(bare.port, own)).rc).toBe(0);
  });

  it('runs another program than ssh as it was given', async () => {
    const wrapper = join(dir, 'wrapper');
    await writeFile(wrapper, `#!/bin/sh\ncase "$*" in *BatchMode*) exit 9;; esac\nexec ${right()} "$@"\n`, {
      mode: 0o700,
    });
    expect((await lsRemote(url, [], options(wrapper))).refs.size).toBe(1);
  });

  it('is polled by a master and checked out by a worker; a master with a wrong key says so in its status', async () => {
    const config = `
repositories: { app: { git: "${url}", poll: 1s, branches: [main] } }
schedulers: { push: { kind: branch, repository: app, treeStableTimer: 100ms, builders: [app] } }
builders: { app: { repository: app, steps: [ git: {}, run: cat a.txt ] } }
`;
    const before = server.accepted();
    await using farm = await startFarm({ config, workers: ['w1'], env: { GIT_SSH_COMMAND: right() } });
    await until('the first poll', () => server.accepted() > before);
    await until('its end', async () => !/never|not yet/i.test((await farm.run('why', 'app')).stdout));
    const revision = await repository.commit({ 'a.txt': 'pushed\n' });
    const build = await until('the build of the push', async () =>
      (await farm.client.call('builds', {})).find((one) => one.complete && one.revision === revision),
    );
    expect(build.result).toBe('success');
    expect((await farm.run('build', 'log', 'app', '--raw', '--step', '1')).stdout).toBe('pushed\n');

    const strange = { GIT_SSH_COMMAND: ssh(server.strangersKey, server.knownHosts) };
    await using poor = await startFarm({ config, env: strange });
    await until('the trouble', async () => (await poor.run('status')).stdout.includes('Permission denied'));
  });
});

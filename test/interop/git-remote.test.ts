import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitsBetween, lsRemote } from '../../src/exec/git.ts';
import { gitHttp } from '../rigs/git-http.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { gitCommand, localPort, runOn } from '../rigs/local-port.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const options = { env: { PATH: process.env['PATH'], HOME: '/nonexistent' } };

describe('what a repository has', () => {
  test('its branches and tags, an annotated tag as its commit, and the default branch', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { a: '1' });
    const first = await repository.git('rev-parse', 'HEAD');
    await repository.git('tag', '-a', 'v1', '-m', 'one');
    const second = await repository.commit({ a: '2' }, { branch: 'release/1' });
    await repository.git('checkout', '-q', 'main');
    const all = await lsRemote(repository.path, [], options);
    expect(all.defaultBranch).toBe('main');
    expect(Object.fromEntries(all.refs)).toMatchObject({
      'refs/heads/main': first,
      'refs/heads/release/1': second,
      'refs/tags/v1': first,
    });
    const some = await lsRemote(repository.path, ['refs/heads/release/*'], options);
    expect([...some.refs.keys()]).toEqual(['refs/heads/release/1']);
    expect(some.defaultBranch).toBe('main');
  });

  test('one that is not there is an error with git’s last words', async () => {
    await expect(lsRemote('/nonexistent/app', [], options)).rejects.toMatchObject({
      code: 'BBX-EXE-GIT',
      message: expect.stringMatching(/^Cannot list "\/nonexistent\/app": /),
    });
  });

  test('a server that never answers ends at the limit, and at an abort', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://bot:s3cret@127.0.0.1:${(silent.address() as AddressInfo).port}/app`;
    const late = lsRemote(url, [], { ...options, timeoutMs: 300 });
    await expect(late).rejects.toMatchObject({
      code: 'BBX-EXE-GIT-TIME',
      message: expect.not.stringContaining('s3cret'),
    });
    const reason = new Error('enough');
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 100);
    await expect(lsRemote(url, [], { ...options, signal: abort.signal })).rejects.toBe(reason);
    silent.close();
  });

  test.each(['--upload-pack=x', 'ext::sh', '', 'a\nb'])('"%s" never reaches git', async (url) => {
    await expect(lsRemote(url, [], options)).rejects.toMatchObject({ code: 'BBX-EXE-GIT-VALUE' });
  });
});

describe('the commits between two', () => {
  test('come oldest first, with who, when, what and which files', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { a: '1' });
    const from = await repository.git('rev-parse', 'HEAD');
    const one = await repository.commit(
      { 'dir/ü b.txt': 'x', a: '2' },
      { message: 'first line\n\nbody with "quotes"' },
    );
    await repository.git('commit', '-q', '--allow-empty', '-m', 'empty');
    const empty = await repository.git('rev-parse', 'HEAD');
    await repository.git('mv', 'a', 'c');
    await repository.git('commit', '-qm', 'moved');
    const to = await repository.git('rev-parse', 'HEAD');
    const wanted = {
      url: repository.path,
      mirror: join(dir.path, 'mirror'),
      branch: 'main',
      from,
      to,
      limit: 50,
    };
    const commits = await commitsBetween(wanted, options);
    expect(commits).toEqual([
      {
        revision: one,
        author: 'Test <test@example.org>',
        at: expect.any(Number),
        comments: 'first line\n\nbody with "quotes"',
        files: ['a', 'dir/ü b.txt'],
      },
      expect.objectContaining({ revision: empty, comments: 'empty', files: [] }),
      expect.objectContaining({ revision: to, comments: 'moved', files: ['a', 'c'] }),
    ]);
    expect(await commitsBetween({ ...wanted, limit: 1 }, options)).toMatchObject([{ revision: to }]);
    expect(await commitsBetween({ ...wanted, from: null }, options)).toMatchObject([{ revision: to }]);
    expect(await commitsBetween({ ...wanted, from: 'f'.repeat(40) }, options)).toMatchObject([
      { revision: to },
    ]);
    expect(await commitsBetween({ ...wanted, from: to }, options)).toEqual([]);
  });

  test('a merge has the files that it brought, and the commits that it brought are there', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { a: '1' });
    const from = await repository.git('rev-parse', 'HEAD');
    await repository.commit({ side: '1' }, { branch: 'side', message: 'on the side' });
    await repository.git('checkout', '-q', 'main');
    await repository.git('merge', '-q', '--no-ff', '-m', 'merged', 'side');
    const to = await repository.git('rev-parse', 'HEAD');
    const wanted = {
      url: repository.path,
      mirror: join(dir.path, 'mirror'),
      branch: 'main',
      from,
      to,
      limit: 50,
    };
    expect(await commitsBetween(wanted, options)).toMatchObject([
      { comments: 'on the side', files: ['side'] },
      { comments: 'merged', files: ['side'] },
    ]);
  });
});

describe('a repository behind a password', () => {
  async function server() {
    const dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { 'a.txt': 'one\n' });
    const http = await gitHttp(dir.path, { user: 'bot', password: 's3cr3t-word' });
    const local = await localPort();
    return {
      http,
      root: dir.path,
      repository,
      ...local,
      url: `${http.url}/app/.git`,
      login: http.url.replace('//', '//bot:s3cr3t-word@'),
      async [Symbol.asyncDispose]() {
        await local[Symbol.asyncDispose]();
        await http[Symbol.asyncDispose]();
        await dir[Symbol.asyncDispose]();
      },
    };
  }

  test('is fetched with credentials from a file that is gone afterwards', async () => {
    await using farm = await server();
    const end = await runOn(
      farm.port,
      gitCommand({ repository: farm.url, branch: 'main' }, `${farm.login}\n`),
    );
    expect(end).toMatchObject({
      rc: 0,
      properties: { got_revision: await farm.repository.git('rev-parse', 'main') },
    });
    expect(await readdir(farm.workspace.scratch)).toEqual([]);
    const left = await runOn(farm.port, {
      kind: 'shell',
      command: ['grep', '-r', 's3cr3t-word', '.'],
      env: {},
      workdir: '.',
      timeoutMs: null,
      maxTimeMs: 9_000,
      sigtermTimeMs: 1,
    });
    expect(left.rc).toBe(1);
  });

  test('is fetched with a password in its URL, which stands in no command line and no file', async () => {
    await using farm = await server();
    const end = await runOn(farm.port, gitCommand({ repository: `${farm.login}/app/.git`, branch: 'main' }));
    expect(end.rc).toBe(0);
    expect(end.header).not.toContain('s3cr3t-word');
  });

  test.each(['clean', 'incremental'] as const)(
    'has its submodules fetched with the same credentials, mode %s',
    async (mode) => {
      await using farm = await server();
      const inner = await gitRepository(join(farm.root, 'inner'), { 'i.txt': 'i\n' });
      // As people write it: relative, so that it means the same server.
      await farm.repository.commit({
        '.gitmodules': '[submodule "in"]\n\tpath = in\n\turl = ../../inner/.git\n',
      });
      await farm.repository.git(
        'update-index',
        '--add',
        '--cacheinfo',
        `160000,${await inner.git('rev-parse', 'HEAD')},in`,
      );
      await farm.repository.git('commit', '-qm', 'with a submodule');
      const step = gitCommand(
        { repository: farm.url, branch: 'main', submodules: true, mode },
        `${farm.login}\n`,
      );
      expect(await runOn(farm.port, step)).toMatchObject({ rc: 0 });
      await writeFile(join(farm.workspace.root, 'in/i.txt'), 'changed');
      await writeFile(join(farm.workspace.root, 'in/new'), 'untracked');
      const second = await inner.commit({ 'i.txt': 'two\n' });
      await farm.repository.git('update-index', '--add', '--cacheinfo', `160000,${second},in`);
      await farm.repository.git('commit', '-qm', 'a newer submodule');
      expect(await runOn(farm.port, step)).toMatchObject({ rc: 0 });
      expect(await readFile(join(farm.workspace.root, 'in/i.txt'), 'utf8')).toBe('two\n');
      expect((await readdir(join(farm.workspace.root, 'in'))).includes('new')).toBe(mode === 'incremental');
      // As a worker killed while it cloned leaves it.
      await rm(join(farm.workspace.root, '.git/modules/in/objects'), { recursive: true });
      expect(await runOn(farm.port, step)).toMatchObject({ rc: 0 });
      expect(await readFile(join(farm.workspace.root, 'in/i.txt'), 'utf8')).toBe('two\n');
    },
  );

  test('is refused without them, at once and without a question', async () => {
    await using farm = await server();
    const end = await runOn(farm.port, gitCommand({ repository: farm.url, branch: 'main' }));
    expect(end.rc).toBe(128);
    expect(end.stderr).toContain('terminal prompts disabled');
  });

  test('gets no credentials that are for another host', async () => {
    await using farm = await server();
    const end = await runOn(
      farm.port,
      gitCommand({ repository: farm.url, branch: 'main' }, 'https://bot:s3cr3t-word@other.example\n'),
    );
    expect(end.rc).toBe(128);
    expect(end.header).toContain('hold no line for this repository');
    expect(farm.http.seen.every((line) => line.endsWith('open'))).toBe(true);
  });
});

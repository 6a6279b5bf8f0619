import { readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitRepository, type GitRepository } from '../rigs/git-repository.ts';
import { gitCommand, localPort, runOn } from '../rigs/local-port.ts';
import { tempDir } from '../rigs/temp-dir.ts';

async function set() {
  const dir = await tempDir();
  const repository = await gitRepository(join(dir.path, 'app'), { 'a.txt': 'one\n', 'dir/b.txt': 'b\n' });
  const local = await localPort();
  const read = (name: string) => readFile(join(local.workspace.root, name), 'utf8').catch(() => undefined);
  return {
    ...local,
    repository,
    read,
    checkOut: (step: object = {}, credentials: string | null = null) =>
      runOn(local.port, gitCommand({ repository: repository.path, branch: 'main', ...step }, credentials)),
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const head = (repository: GitRepository) => repository.git('rev-parse', 'main');

describe('a checkout', () => {
  test('of a branch gives its newest commit and says which', async () => {
    await using farm = await set();
    const end = await farm.checkOut();
    expect(end).toMatchObject({
      ended: 'exit',
      rc: 0,
      properties: { got_revision: await head(farm.repository) },
    });
    expect(await farm.read('dir/b.txt')).toBe('b\n');
  });

  test('without a branch takes the default one', async () => {
    await using farm = await set();
    await farm.repository.commit({ 'other.txt': 'x' }, { branch: 'other' });
    await farm.repository.git('checkout', '-q', 'main');
    const end = await farm.checkOut({ branch: null });
    expect(end.properties).toEqual({ got_revision: await head(farm.repository) });
  });

  test('of an old revision gives that one', async () => {
    await using farm = await set();
    const first = await head(farm.repository);
    await farm.repository.commit({ 'a.txt': 'two\n' });
    const end = await farm.checkOut({ revision: first });
    expect(end.properties).toEqual({ got_revision: first });
    expect(await farm.read('a.txt')).toBe('one\n');
  });

  test('of a revision that is on no branch any more still works where the server has it', async () => {
    await using farm = await set();
    await farm.repository.commit({ 'a.txt': 'lost\n' });
    const lost = await head(farm.repository);
    await farm.repository.git('reset', '-q', '--hard', 'HEAD~1');
    await farm.repository.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    const end = await farm.checkOut({ revision: lost });
    expect(end.properties).toEqual({ got_revision: lost });
  });

  test('of a revision on another branch falls back to fetching everything', async () => {
    await using farm = await set();
    const other = await farm.repository.commit({ 'other.txt': 'x' }, { branch: 'other' });
    await farm.repository.commit({ 'other.txt': 'y' }, { branch: 'other' });
    const end = await farm.checkOut({ revision: other, shallow: 1 });
    expect(end.properties).toEqual({ got_revision: other });
    expect(await farm.read('other.txt')).toBe('x');
  });

  test('that is shallow has the depth that was asked for', async () => {
    await using farm = await set();
    for (const text of ['2', '3', '4']) await farm.repository.commit({ 'a.txt': text });
    // Of a path git would copy everything, whatever the depth.
    const end = await farm.checkOut({ repository: `file://${farm.repository.path}`, shallow: 2 });
    expect(end.rc).toBe(0);
    const log = await runOn(farm.port, { ...gitLog, command: ['git', 'rev-list', '--count', 'HEAD'] });
    expect(log.stdout.trim()).toBe('2');
  });

  test('of a revision that is nowhere fails with a sentence', async () => {
    await using farm = await set();
    const end = await farm.checkOut({ revision: 'f'.repeat(40) });
    expect(end).toMatchObject({ ended: 'exit', rc: 1 });
    expect(end.header).toContain(`has no commit ${'f'.repeat(40)}`);
  });

  test('of a branch that is not there fails with what git says', async () => {
    await using farm = await set();
    const end = await farm.checkOut({ branch: 'nope' });
    expect(end).toMatchObject({ ended: 'exit', rc: 128 });
    expect(end.stderr).toContain('refs/heads/nope');
  });
});

const gitLog = {
  kind: 'shell',
  env: {},
  workdir: '.',
  timeoutMs: null,
  maxTimeMs: 10_000,
  sigtermTimeMs: 500,
} as const;

describe('the modes', () => {
  test.each([
    { mode: 'incremental', kept: true, ignored: true },
    { mode: 'clean', kept: false, ignored: false },
    { mode: 'full', kept: false, ignored: false },
  ])(
    '$mode: untracked files stay: $kept; changes to tracked files never do',
    async ({ mode, kept, ignored }) => {
      await using farm = await set();
      await farm.repository.commit({ '.gitignore': 'out/\n' });
      await farm.checkOut({ mode });
      await runOn(farm.port, {
        ...gitLog,
        command: 'echo changed > a.txt; rm dir/b.txt; echo x > new.txt; mkdir out; echo y > out/z',
      });
      await farm.repository.commit({ 'c.txt': 'c\n' });
      expect((await farm.checkOut({ mode })).rc).toBe(0);
      expect(await farm.read('a.txt')).toBe('one\n');
      expect(await farm.read('dir/b.txt')).toBe('b\n');
      expect(await farm.read('c.txt')).toBe('c\n');
      expect((await farm.read('new.txt')) !== undefined).toBe(kept);
      expect((await farm.read('out/z')) !== undefined).toBe(ignored);
    },
  );
});

describe('a broken workspace', () => {
  test.each<{ title: string; harm: (root: string) => Promise<void> }>([
    {
      title: 'a lock of a branch that a killed fetch left',
      harm: (root) => writeFile(join(root, '.git/refs/remotes/origin/main.lock'), ''),
    },
    { title: 'a lock that a killed git left', harm: (root) => writeFile(join(root, '.git/index.lock'), '') },
    { title: 'no HEAD', harm: (root) => rm(join(root, '.git/HEAD')) },
    { title: 'an index of rubbish', harm: (root) => writeFile(join(root, '.git/index'), 'rubbish') },
    { title: 'no objects', harm: (root) => rm(join(root, '.git/objects'), { recursive: true }) },
    { title: 'a configuration of rubbish', harm: (root) => writeFile(join(root, '.git/config'), '[[[') },
    { title: 'emptied objects, as a full disk leaves them', harm: emptyObjects },
    { title: 'a .git that leads elsewhere', harm: exchangeGit },
  ])('with $title is right again after the next build', async ({ harm }) => {
    await using farm = await set();
    await farm.checkOut();
    await harm(farm.workspace.root);
    await farm.repository.commit({ 'a.txt': 'two\n' });
    const end = await farm.checkOut();
    expect(end).toMatchObject({ rc: 0, properties: { got_revision: await head(farm.repository) } });
    expect(await farm.read('a.txt')).toBe('two\n');
    expect(await farm.read('dir/b.txt')).toBe('b\n');
  });

  test('is not thrown away when only the far end fails', async () => {
    await using farm = await set();
    await farm.checkOut();
    await writeFile(join(farm.workspace.root, 'cache'), 'valuable');
    const end = await farm.checkOut({ repository: join(farm.builds, 'no-such-repository') });
    expect(end.rc).not.toBe(0);
    expect(await farm.read('cache')).toBe('valuable');
  });
});

async function emptyObjects(root: string): Promise<void> {
  const objects = join(root, '.git/objects');
  for (const name of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    await rm(join(name.parentPath, name.name), { force: true });
    await writeFile(join(name.parentPath, name.name), '');
    await truncate(join(name.parentPath, name.name), 0);
  }
}

async function exchangeGit(root: string): Promise<void> {
  await rm(join(root, '.git'), { recursive: true });
  await writeFile(join(root, '.git'), 'gitdir: /nonexistent\n');
}

describe('hostile values', () => {
  test.each([
    { repository: '--upload-pack=touch pwned', says: 'begins with "-"' },
    { repository: 'ext::sh -c touch% pwned', says: '"ext::" is not allowed' },
    { repository: 'ssh://-oProxyCommand=touch pwned/x', says: 'host begins with "-"' },
    { repository: 'ftp://example.org/x', says: '"ftp" is not allowed' },
    { branch: '--force', says: 'begins with "-"' },
    { branch: 'a..b', says: 'git allows no such name' },
    { branch: 'main:refs/heads/x', says: 'git allows no such name' },
    { revision: 'HEAD', says: 'full commit id' },
    { workdir: '../elsewhere', says: 'leads out of the build' },
  ])('$says: nothing is run', async ({ says, ...step }) => {
    await using farm = await set();
    const end = await farm.checkOut(step);
    expect(end).toMatchObject({ ended: 'notStarted', rc: null });
    expect(end.header).toContain(says);
    expect(await readdir(farm.workspace.root)).toEqual([]);
  });

  test.each<[string, object, RegExp]>([
    ['a branch that is not there', { branch: 'nope' }, /couldn't find remote ref refs\/heads\/nope/],
    ['no such commit', { revision: 'ab'.repeat(20) }, /^the repository has no commit abab/],
    ['no repository', { repository: '/nowhere/at-all' }, /'\/nowhere\/at-all' does not appear to be a git/],
    [
      'nobody who listens',
      { repository: 'http://127.0.0.1:1/x' },
      /unable to access .*refused|Failed to connect/,
    ],
    ['a path that leads out', { workdir: '../elsewhere' }, /leads out of the build/],
  ])('a failed checkout says why in one line: %s', async (_, step, why) => {
    await using farm = await set();
    expect((await farm.checkOut(step)).why).toMatch(why);
  });

  test('hooks and fsmonitor that a build left in its repository are not run by the next checkout', async () => {
    await using farm = await set();
    await farm.checkOut();
    const script = `printf '#!/bin/sh\\ntouch ../pwned\\n' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout; git config core.fsmonitor .git/hooks/post-checkout`;
    await runOn(farm.port, { ...gitLog, command: script });
    await farm.repository.commit({ 'a.txt': 'two\n' });
    expect((await farm.checkOut()).rc).toBe(0);
    expect(await readdir(join(farm.workspace.root, '..'))).not.toContain('pwned');
  });
});

describe('submodules', () => {
  test('from local paths are refused, since their URLs are the repository’s words', async () => {
    await using farm = await set();
    const inner = await gitRepository(join(farm.builds, '../inner'), { 'i.txt': 'i\n' });
    await farm.repository.git(
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      inner.path,
      'inner',
    );
    await farm.repository.git('commit', '-qm', 'with a submodule');
    expect(await farm.checkOut()).toMatchObject({ rc: 0 });
    const end = await farm.checkOut({ submodules: true });
    expect(end.rc).not.toBe(0);
    expect(end.stderr).toContain("transport 'file' not allowed");
    expect(await farm.read('inner/i.txt')).toBeUndefined();
  });
});

test('a symbolic link as workdir that leads out is refused', async () => {
  await using farm = await set();
  await using outside = await tempDir();
  await symlink(outside.path, join(farm.workspace.root, 'out'));
  const end = await farm.checkOut({ workdir: 'out/x' });
  expect(end.ended).toBe('notStarted');
  expect(await readdir(outside.path)).toEqual([]);
});

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findMoves } from '../../src/runtime/master/polling/moves.ts';
import { freePort } from '../rigs/farm.ts';
import { gitHttp } from '../rigs/git-http.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { testMaster, type TestMaster } from '../rigs/master.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const refs = (branches: Record<string, string>) =>
  new Map(Object.entries(branches).map(([branch, revision]) => [`refs/heads/${branch}`, revision]));

describe('findMoves', () => {
  it.each([
    ['makes no change of the first look', undefined, { main: 'a' }, []],
    ['finds a branch that moved', { main: 'a' }, { main: 'b' }, [{ branch: 'main', from: 'a', to: 'b' }]],
    [
      'finds a new branch',
      { main: 'a' },
      { main: 'a', 'release/1': 'c' },
      [{ branch: 'release/1', from: null, to: 'c' }],
    ],
    [
      'finds the first branch of an empty repository',
      {},
      { main: 'a' },
      [{ branch: 'main', from: null, to: 'a' }],
    ],
    ['leaves alone what no pattern names', { main: 'a' }, { main: 'a', topic: 'c' }, []],
    ['makes no change of a branch that is gone', { main: 'a', 'release/1': 'c' }, { main: 'a' }, []],
  ])('%s', (_, before, now, moved) => {
    const known = before === undefined ? undefined : new Map<string, string>(Object.entries(before));
    expect(findMoves(['main', 'release/*'], known, refs(now)).moved).toEqual(moved);
  });

  it('forgets what is gone, so that it is new when it comes again', () => {
    expect(findMoves([], new Map([['old', 'x']]), refs({ main: 'a' })).heads).toEqual(
      new Map([['main', 'a']]),
    );
  });
});

const polled = (rig: TestMaster) =>
  until('the first poll', async () => {
    const why = await rig.client.call('why', { params: { subject: 'app' } });
    return why.reasons[0]?.reason.startsWith('last polled');
  });

describe('a master that polls a repository', () => {
  const config = (path: string) => `
repositories: { app: { git: "${path}", poll: 1s, branches: [main] } }
schedulers: { push: { kind: branch, repository: app, builders: [app], treeStableTimer: 3s } }
builders: { app: { repository: app, steps: [ git: {} ] } }
`;

  it('makes changes of what is pushed, and one request of all when the tree is stable; none is made twice', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { 'a.txt': 'one\n' });
    await using rig = await testMaster(config(repository.path));
    await polled(rig);
    expect(await rig.client.call('changes', {})).toEqual([]);
    await repository.commit({ 'b.txt': 'two\n' }, { message: 'second' });
    const head = await repository.commit({ 'c.txt': 'three\n' }, { message: 'third' });
    const changes = await until('both changes', async () => {
      const found = await rig.client.call('changes', {});
      return found.length === 2 && found;
    });
    expect(changes.map(({ comments, files, branch }) => [comments, files, branch])).toEqual([
      ['third', ['c.txt'], 'main'],
      ['second', ['b.txt'], 'main'],
    ]);
    expect(await rig.client.call('requests', {})).toEqual([]);
    const why = await rig.client.call('why', { params: { subject: head } });
    expect(why.reasons[1]?.reason).toMatch(/its tree-stable timer has [0-3]s left/);
    // The timer goes on over a restart, from the push and not from the start.
    await rig.restart();
    const requests = await until('the request', async () => {
      const found = await rig.client.call('requests', {});
      return found.length > 0 && found;
    });
    expect(requests).toMatchObject([
      { builder: 'app', revision: head, branch: 'main', reason: 'scheduler push' },
    ]);
    await polled(rig);
    expect(await rig.client.call('changes', {})).toHaveLength(2);
    expect(await rig.client.call('requests', {})).toHaveLength(1);
    const fired = await rig.client.call('why', { params: { subject: `c${changes[0]!.changeid}` } });
    expect(fired.reasons[1]?.reason).toBe('it fired: r1 for "app" (waiting)');
  });

  it('says in status what keeps it from polling, with the finding of the doctor, and takes it back', async () => {
    await using dir = await tempDir();
    const path = join(dir.path, 'app');
    await using rig = await testMaster(config(path), {
      diagnose: async ({ target }) => [{ id: 'SRC-01', title: `no repository at ${target}` }],
    });
    const [trouble] = await until('the trouble', async () => {
      const { trouble: found } = await rig.client.call('status', {});
      return found.length > 0 && found;
    });
    expect(trouble).toMatchObject({ subject: 'repository app', code: 'BBX-EXE-GIT' });
    expect(trouble!.message).toContain(`SRC-01: no repository at ${path}`);
    await gitRepository(path, { 'a.txt': 'one\n' });
    await until(
      'it to be taken back',
      async () => (await rig.client.call('status', {})).trouble.length === 0,
    );
  });
});

describe('a repository that wants a login', () => {
  it('is asked with the credentials of its secret, which are gone from the disk afterwards', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { 'a.txt': 'one\n' });
    await using server = await gitHttp(dir.path, { user: 'poller', password: 'good pass/word' });
    const url = `${server.url}/app/.git`;
    const secret = join(dir.path, 'secret');
    const { protocol, host } = new URL(server.url);
    await writeFile(secret, `${protocol}//poller:good%20pass%2Fword@${host}\n`, { mode: 0o600 });
    await using rig = await testMaster(`
secrets: { LOGIN: { file: "${secret}" } }
repositories: { app: { git: "${url}", poll: 1s, branches: [main], credentials: { secret: LOGIN } } }
builders: { app: { repository: app, steps: [ git: {} ] } }
`);
    await polled(rig);
    expect((await rig.client.call('status', {})).trouble).toEqual([]);
    const head = await repository.commit({ 'b.txt': 'two\n' }, { message: 'second' });
    await until('the change', async () => (await rig.client.call('changes', {}))[0]?.revision === head);
    await rig.stop();
    const left = await readdir(join(rig.dir, '.bbx', 'mirrors'));
    expect(left.filter((name) => name.startsWith('credentials'))).toEqual([]);
    await rig.start();
  });
});

describe('a repository whose host cannot be reached', () => {
  it('is said with the addresses that were tried, since git alone would only say that its proxy failed', async () => {
    const url = `http://[::1]:${await freePort('::1')}/app.git`;
    await using rig = await testMaster(`repositories: { app: { git: "${url}", poll: 1s } }`);
    const [trouble] = await until('the trouble', async () => {
      const { trouble: found } = await rig.client.call('status', {});
      return found.length > 0 && found;
    });
    expect(trouble).toMatchObject({ subject: 'repository app', code: 'BBX-NET-REFUSED' });
    expect(trouble?.message).toContain(new URL(url).host);
  });
});

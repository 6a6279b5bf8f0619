import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { lookUpIdentity } from '../../../../src/exec/identity.ts';
import { createLocalPort } from '../../../../src/runtime/worker/local-port.ts';
import { openWorkspace } from '../../../../src/runtime/worker/workspace.ts';
import { runOn, shellCommand } from '../../../rigs/local-port.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

const run = promisify(execFile);

describe('a workspace', () => {
  test('is for one build at a time, and free again afterwards', async () => {
    await using dir = await tempDir();
    const options = { builds: join(dir.path, 'builds'), builddir: 'linux', identity: null };
    {
      await using first = await openWorkspace(options);
      await expect(openWorkspace(options)).rejects.toMatchObject({ code: 'BBX-EXE-LOCKED' });
      await using _other = await openWorkspace({ ...options, builddir: 'other' });
      expect((await stat(first.root)).mode & 0o777).toBe(0o700);
      expect((await stat(join(first.root, '..'))).mode & 0o777).toBe(0o700);
    }
    await using _again = await openWorkspace(options);
  });

  test('holds no credentials of a checkout whose worker was killed', async () => {
    await using dir = await tempDir();
    const options = { builds: join(dir.path, 'builds'), builddir: 'linux', identity: null };
    let left: string;
    {
      await using first = await openWorkspace(options);
      left = join(first.scratch, 'credentials-0123456789abcdef');
      await writeFile(left, 'https://user:password@git.example');
    }
    await using _again = await openWorkspace(options);
    await expect(stat(left)).rejects.toThrow(/ENOENT/);
  });

  test.each(['..', '.', 'a/b', '', 'a b'])('is not made for the name "%s"', async (builddir) => {
    await using dir = await tempDir();
    await expect(openWorkspace({ builds: dir.path, builddir, identity: null })).rejects.toMatchObject({
      code: 'BBX-EXE-WORKDIR',
    });
  });

  test('ends background processes of its build when it is given free', async () => {
    await using dir = await tempDir();
    const builds = join(dir.path, 'builds');
    let pid: string;
    {
      await using workspace = await openWorkspace({ builds, builddir: 'linux', identity: null });
      const port = createLocalPort({ ...workspace, env: process.env, identity: null });
      const script = 'setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! > pid';
      expect((await runOn(port, shellCommand(script))).rc).toBe(0);
      pid = (await readFile(join(workspace.root, 'pid'), 'utf8')).trim();
      // Between the steps of a build it lives: a step may start a server for the next.
      const second = await runOn(port, shellCommand(`cat /proc/${pid}/cmdline`));
      expect(second.stdout).toContain('sleep');
    }
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
  });
});

const root = process.geteuid?.() === 0;

describe.runIf(root)('as root, builds of another user', () => {
  test('run with its rights, in files of its own, and cannot read the worker’s key', async () => {
    await using dir = await tempDir();
    await chmod(dir.path, 0o711);
    const worker = join(dir.path, 'worker');
    await mkdir(worker, { mode: 0o700 });
    await writeFile(join(worker, 'key.pem'), 'private', { mode: 0o600 });
    const identity = await lookUpIdentity('nobody');
    await using workspace = await openWorkspace({
      builds: join(worker, 'builds'),
      builddir: 'linux',
      identity,
    });
    const port = createLocalPort({
      ...workspace,
      env: { PATH: process.env['PATH'], HOME: '/root' },
      identity,
    });
    const end = await runOn(
      port,
      shellCommand(
        'id -u; echo $USER; touch made; echo err > /dev/stderr; cat ../../../key.pem; ls ../../..; echo x > ../escape',
        {
          workdir: 'deep/er',
        },
      ),
    );
    expect(end.stdout).toBe(`${identity.uid}\nnobody\n`);
    expect(end.stderr.match(/denied|cannot/gi)?.length).toBeGreaterThanOrEqual(2);
    expect(end.stderr).toContain('err\n');
    expect((await stat(join(workspace.root, 'deep/er/made'))).uid).toBe(identity.uid);
    expect((await stat(worker)).mode & 0o077).toBe(0o001);
  });

  test.each([{ groups: [] }, { groups: [4, 20] }])(
    'have the groups of the user and no others, beside its own: $groups',
    async ({ groups }) => {
      await using dir = await tempDir();
      await chmod(dir.path, 0o711);
      const nobody = await lookUpIdentity('nobody');
      const identity = { ...nobody, groups: [nobody.gid, ...groups] };
      await using workspace = await openWorkspace({
        builds: join(dir.path, 'worker/builds'),
        builddir: 'linux',
        identity,
      });
      const port = createLocalPort({ ...workspace, env: { PATH: process.env['PATH'] }, identity });
      const script = 'id -u; id -G; grep SigIgn /proc/self/status; echo "$NODE_OPTIONS"; exit 3';
      const end = await runOn(port, shellCommand(script, { env: { NODE_OPTIONS: '--require=/tmp/evil' } }));
      const lines = end.stdout.split('\n');
      expect(lines.slice(0, 2)).toEqual([String(identity.uid), identity.groups.join(' ')]);
      expect(lines[2]).toMatch(/:\s0+$/);
      expect(lines[3]).toBe('--require=/tmp/evil');
      expect(end).toMatchObject({ ended: 'exit', rc: 3, stderr: '' });
      expect((await runOn(port, shellCommand(['no-such-program']))).ended).toBe('notStarted');
    },
  );

  test('are told when they may not pass a directory above the worker’s', async () => {
    await using dir = await tempDir();
    const identity = await lookUpIdentity('nobody');
    const opened = openWorkspace({ builds: join(dir.path, 'worker/builds'), builddir: 'linux', identity });
    await expect(opened).rejects.toMatchObject({
      code: 'BBX-EXE-USER',
      message: expect.stringContaining(dir.path),
    });
  });

  test('take over what builds of root left', async () => {
    await using dir = await tempDir();
    await chmod(dir.path, 0o711);
    const options = { builds: join(dir.path, 'worker/builds'), builddir: 'linux' };
    {
      await using workspace = await openWorkspace({ ...options, identity: null });
      await writeFile(join(workspace.root, 'old'), '');
    }
    const identity = await lookUpIdentity('nobody');
    await using workspace = await openWorkspace({ ...options, identity });
    expect((await stat(join(workspace.root, 'old'))).uid).toBe(identity.uid);
  });

  test.each([
    ['root', 'that is root'],
    ['no-such-user-here', 'no such user'],
    ['-x', 'no user name'],
  ])('%s: %s', async (user, problem) => {
    await expect(lookUpIdentity(user)).rejects.toMatchObject({
      code: 'BBX-EXE-USER',
      message: expect.stringContaining(problem),
    });
  });
});

test.runIf(root)('without root, runAs is a clear error', async () => {
  const module = join(import.meta.dirname, '../../../../src/exec/identity.ts');
  const code = `process.geteuid = () => 1000; const { lookUpIdentity } = await import(${JSON.stringify(module)}); await lookUpIdentity('nobody').catch((e) => console.log(e.message))`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code]);
  expect(stdout).toContain('only a worker that runs as root can change users');
});

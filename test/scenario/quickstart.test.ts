import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { bbx, bbxOk, startBbx } from '../rigs/bbx.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { tempDir } from '../rigs/temp-dir.ts';

describe('bbx quickstart', () => {
  it('without a repository makes a small real one, builds it and ends with the code of the build', async () => {
    await using dir = await tempDir();
    const ran = await bbx(['quickstart', '--once'], { cwd: dir.path, limitMs: 60_000 });
    expect(ran.stdout + ran.stderr).toContain('greets by name');
    expect(ran.stderr).toMatch(/talk over (\[::1\]|127\.0\.0\.1):\d+/);
    expect(ran.code).toBe(0);
  });

  it('finds how a given repository is built, and runs none of it without a yes', async () => {
    await using dir = await tempDir();
    const marker = join(dir.path, 'ran');
    const makefile = `all:\n\techo built\ntest:\n\ttouch ${marker}\n`;
    await gitRepository(join(dir.path, 'app'), { Makefile: makefile });
    const asked = await bbx(['quickstart', 'farm', '--repository', 'app', '--once'], { cwd: dir.path });
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('make test');
    expect(asked.stderr).toContain('--yes');

    const run = [
      'quickstart',
      'farm',
      '--repository',
      'app',
      '--once',
      '--run',
      `touch ${marker}; exit 7`,
      '--yes',
      '--json',
    ];
    const ran = await bbx(run, { cwd: dir.path, limitMs: 60_000 });
    expect(ran.code).toBe(1);
    const build = ran.json<BuildObject>();
    expect(build.result).toBe('failure');
    expect(build.steps?.map((step) => step.rc)).toEqual([0, 7]);
  });

  it('says what it looked for in a repository that does not say how it is built', async () => {
    await using dir = await tempDir();
    await gitRepository(join(dir.path, 'app'), { 'notes.txt': 'nothing\n' });
    const ran = await bbx(['quickstart', 'farm', '--repository', 'app', '--once', '--yes'], {
      cwd: dir.path,
    });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('package.json');
    expect(ran.stderr).toContain('--run');
  });

  it('ends with 6 when its directory was deleted', async () => {
    await using dir = await tempDir();
    await using farm = startBbx(['quickstart', 'farm'], { cwd: dir.path });
    await farm.waitFor(/ended as success/, 60_000);
    await farm.waitFor(/Ctrl-C/);
    await rm(join(dir.path, 'farm'), { recursive: true });
    await farm.waitFor(/bbx: Cannot go on in directory/, 120_000);
    expect(await farm.ended).toBe(6);
  });

  it('stays a farm until it is ended, builds a commit that is pushed, and starts the same farm again', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { 'a.txt': '1\n' });
    const args = ['quickstart', 'farm', '--repository', repository.path, '--run', 'cat a.txt', '--yes'];
    const cwd = { cwd: dir.path };
    {
      await using program = startBbx(args, cwd);
      await program.waitFor(/The farm runs until Ctrl-C/, 40_000);
      await writeFile(join(repository.path, 'a.txt'), '2\n');
      await repository.commit({ 'a.txt': '2\n' });
      await bbxOk(['build', 'start', 'app', '--wait', '--dir', 'farm/master'], cwd);
      const log = await bbxOk(['build', 'log', 'app', '--raw', '--step', '1', '--dir', 'farm/master'], cwd);
      expect(log.stdout).toBe('2\n');
      expect(await program.end('SIGTERM')).toBe(0);
    }
    await using again = startBbx(['quickstart', 'farm'], cwd);
    await again.waitFor(/Using the farm that stands in/);
    await again.waitFor(/app\/3 ended as success/, 40_000);
  });
});

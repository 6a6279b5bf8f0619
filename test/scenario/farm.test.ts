import { join } from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { BuildObject, ChangeObject, RequestObject } from '../../src/api/objects.ts';
import { startFarm } from '../rigs/farm.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const finished = (builds: BuildObject[], builder: string) =>
  builds.find((build) => build.builder === builder && build.complete);

describe('a farm of real processes', () => {
  it('builds a push on every builder that waits for it, each on a worker with its tags, after the tree is stable', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { 'hello.txt': 'one\n' });
    await using farm = await startFarm({
      workers: ['red-1', 'blue-1', 'blue-2'],
      config: `
workers:
  red-1: { tags: [red] }
  blue-1: { tags: [blue] }
  blue-2: { tags: [blue] }
repositories:
  app: { git: "${repository.path}", poll: 1s, branches: [main] }
schedulers:
  push: { kind: branch, repository: app, treeStableTimer: 3s, builders: [on-red, on-blue] }
builders:
  on-red: { workers: { tags: [red] }, repository: app, steps: [ git: {}, run: cat hello.txt ] }
  on-blue: { workers: { tags: [blue] }, repository: app, steps: [ git: {}, run: cat hello.txt ] }
`,
    });
    await until('the first poll', async () => {
      const why = await farm.run('why', 'app');
      return why.code === 0 && !/never|not yet/i.test(why.stdout);
    });

    const first = await repository.commit({ 'hello.txt': 'two\n' }, { message: 'second' });
    const second = await repository.commit({ 'hello.txt': 'three\n' }, { message: 'third' });

    const builds = await until('both builds', async () => {
      const list = await farm.client.call('builds', {});
      return finished(list, 'on-red') && finished(list, 'on-blue') ? list : undefined;
    });
    expect(builds.map((build) => [build.builder, build.result, build.revision]).sort()).toEqual([
      ['on-blue', 'success', second],
      ['on-red', 'success', second],
    ]);
    expect(finished(builds, 'on-red')?.worker).toBe('red-1');
    expect(finished(builds, 'on-blue')?.worker).toMatch(/^blue-/);
    const log = await farm.run('build', 'log', 'on-red', '--raw', '--step', '1');
    expect(log.stdout).toBe('three\n');
    expect(first).not.toBe(second);
  });

  it('ends a red build with exit code 1, names the step, and runs what must always run', async () => {
    await using farm = await startFarm({
      workers: ['w1'],
      config: `
workers: { w1: {} }
builders:
  red:
    workers: { names: [w1] }
    steps:
      - { name: compile, run: "echo broken >&2; exit 3", haltOnFailure: true }
      - { name: never, run: "echo must not run" }
      - { name: clean-up, run: "echo cleaned", alwaysRun: true }
`,
    });
    const started = await farm.run('build', 'start', 'red', '--wait');
    expect(started.code).toBe(1);
    expect(started.stderr + started.stdout).toContain('compile');
    const build = await farm.ask<BuildObject>('build', 'show', 'red/1');
    expect(build.result).toBe('failure');
    expect(build.steps?.map((step) => [step.name, step.result, step.rc])).toEqual([
      ['compile', 'failure', 3],
      ['clean-up', 'success', 0],
    ]);
  });

  it('cancels in mid-step, and the whole process tree is gone', async () => {
    await using dir = await tempDir();
    const pids = join(dir.path, 'pids');
    await using farm = await startFarm({
      workers: ['w1'],
      config: `
workers: { w1: {} }
builders:
  long: { workers: { names: [w1] }, steps: [ { name: wait, run: "sleep 300 & setsid sleep 300 & echo $! $$ > ${pids}; echo up; wait" } ] }
`,
    });
    await farm.ask<RequestObject>('build', 'start', 'long');
    await farm.printed('long', 'up');
    const cancelled = await farm.run('build', 'cancel', 'long', '--reason', 'not needed');
    expect(cancelled.code).toBe(0);
    const watched = await farm.run('build', 'watch', 'long');
    expect(watched.code).toBe(9);
    for (const pid of (await readFile(pids, 'utf8')).trim().split(' ')) {
      await until(`process ${pid} to be gone`, () => !alive(Number(pid)));
    }
  });

  it('ends silent and overlong steps by their limits, and says which', async () => {
    await using farm = await startFarm({
      workers: ['w1'],
      config: `
workers: { w1: { maxBuilds: 2 } }
builders:
  silent: { workers: { names: [w1] }, steps: [ { name: hush, run: "echo a; sleep 300", timeout: 1s } ] }
  long: { workers: { names: [w1] }, steps: [ { name: chatter, run: "while :; do echo a; sleep 0.1; done", maxTime: 2s } ] }
`,
    });
    const [silent, long] = await Promise.all([
      farm.run('build', 'start', 'silent', '--wait'),
      farm.run('build', 'start', 'long', '--wait'),
    ]);
    expect([silent.code, long.code]).toEqual([1, 1]);
    const text = (build: BuildObject) =>
      `${build.state_string} ${build.steps?.map((step) => step.state_string).join()}`;
    expect(text(await farm.ask<BuildObject>('build', 'show', 'silent/1'))).toMatch(
      /1s|1 s|without output|silen/,
    );
    expect(text(await farm.ask<BuildObject>('build', 'show', 'long/1'))).toMatch(/2s|2 s/);
  });

  it('keeps the old configuration at work when a reload is bad, and takes a good one without touching a running build', async () => {
    const config = (steps: string) => `
workers: { w1: {} }
builders:
  app: { workers: { names: [w1] }, steps: [ ${steps} ] }
`;
    await using dir = await tempDir();
    const gate = join(dir.path, 'gate');
    await using farm = await startFarm({
      workers: ['w1'],
      config: config(`run: "echo old; while [ ! -e ${gate} ]; do sleep 0.05; done"`),
    });
    await farm.ask('build', 'start', 'app');
    await until('the build to run', async () => (await farm.client.call('status', {})).running.length === 1);

    await farm.writeConfig(config('runn: "echo wrong"'));
    const refused = await farm.run('config', 'apply');
    expect(refused.code).toBe(7);
    expect(refused.stderr).toMatch(/master\.yaml:\d+:\d+/);
    expect(refused.stderr).toContain('run');

    await farm.writeConfig(config('run: "echo new"'));
    const applied = await farm.ask<{ changed: boolean; changes: string[] }>('config', 'apply');
    expect(applied.changed).toBe(true);
    expect(applied.changes.join()).toContain('app');
    await writeFile(gate, '');
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
    expect((await farm.run('build', 'start', 'app', '--wait')).code).toBe(0);
    expect((await farm.run('build', 'log', 'app/2', '--raw')).stdout).toBe('new\n');
  });

  it('hands a secret to the step that names it and shows it nowhere', async () => {
    const value = 'correct-horse-battery';
    await using farm = await startFarm({
      workers: ['w1'],
      secrets: { token: value },
      config: `
workers: { w1: {} }
secrets: { TOKEN: { file: secrets/token } }
builders:
  app: { workers: { names: [w1] }, steps: [ { run: 'printf "%s" "$KEY" | wc -c; echo "key=$KEY"; env', env: { KEY: { secret: TOKEN } } } ] }
`,
    });
    expect((await farm.run('build', 'start', 'app', '--wait')).code).toBe(0);
    const log = (await farm.run('build', 'log', 'app', '--raw')).stdout;
    expect(log).toMatch(new RegExp(`^\\s*${value.length}\n`));
    expect(log).toContain('key=***');
    const everything =
      log + farm.master.output() + [...farm.workers.values()].map((worker) => worker.output()).join();
    expect(everything).not.toContain(value);
  });

  it('takes a change from the command line and says why it did not fire', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app'), { 'a.txt': 'a\n' });
    await using farm = await startFarm({
      workers: ['w1'],
      config: `
workers: { w1: {} }
repositories: { app: { git: "${repository.path}", poll: 1h, branches: [main, "release/*"] } }
schedulers: { push: { kind: branch, repository: app, treeStableTimer: 100ms, builders: [app] } }
builders: { app: { workers: { names: [w1] }, repository: app, steps: [ git: {} ] } }
`,
    });
    const head = await repository.git('rev-parse', 'HEAD');
    await farm.ask<ChangeObject>(
      'change',
      'send',
      '--repository',
      'app',
      '--branch',
      'main',
      '--revision',
      head,
    );
    await until('its build', async () => finished(await farm.client.call('builds', {}), 'app'));

    const other = await farm.ask<ChangeObject>(
      'change',
      'send',
      '--repository',
      'app',
      '--branch',
      'topic',
      '--revision',
      head,
    );
    const why = await farm.run('why', `c${other.changeid}`);
    expect(why.stdout).toContain('topic');
    expect(why.stdout).toContain('push');
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import { existsSync, readFileSync, statSync } from 'node:fs';
import { appendFile, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { findProcesses } from '../../src/exec/processes.ts';
import { workerMarker } from '../../src/runtime/worker/workspace.ts';
import { startBbx } from '../rigs/bbx.ts';
import { startFarm, type Farm } from '../rigs/farm.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const SECRET = 'correct-horse-battery';

/** A step that prints on both channels until the gate is there, a secret among it; what it printed stands in `copy` too. */
const talkative = (gate: string, copy: string, more = '') => `
workers: { w1: { maxBuilds: 2 } }
secrets: { token: { file: secrets/token } }
builders:
  app:
    workers: { names: [w1] }
    steps:
      - name: talk
        env: { TOKEN: { secret: token } }
        run: |
          n=0
          while [ ! -e ${gate} ]; do
            n=$((n+1)); printf 'line %d ÿ %0900d\\n' "$n" 0 | tee -a ${copy}
            echo "error $n $TOKEN" >&2; echo "error $n ***" >> ${copy}.err
            sleep 0.01
          done
      - { name: after, env: { TOKEN: { secret: token } }, run: "echo done $TOKEN" }
${more}`;

const workerDir = (farm: Farm, name = 'w1') => join(farm.dir, name);

/** Bytes of output that a worker has kept for its master. */
async function spoolBytes(farm: Farm): Promise<number> {
  const spool = join(workerDir(farm), 'spool');
  const files = await readdir(spool, { recursive: true });
  return files
    .filter((file) => file.includes('/log-'))
    .reduce((sum, file) => sum + statSync(join(spool, file)).size, 0);
}

async function restart(farm: Farm, afterMs: number, name = 'w1'): Promise<void> {
  await farm.workers.get(name)?.end('SIGKILL');
  await delay(afterMs);
  farm.workers.set(name, startBbx(['run', 'worker', workerDir(farm, name)], { cwd: farm.dir }));
}

async function expectExact(farm: Farm, copy: string, build = 'app/1'): Promise<void> {
  const shown = await farm.ask<BuildObject>('build', 'show', build);
  expect(shown.result).toBe('success');
  expect(shown.steps?.map((step) => step.result)).toEqual(['success', 'success']);
  // Each line is one write, so that the two pipes never meet within one.
  const raw = (await farm.run('build', 'log', build, '--raw', '--step', 'talk')).stdout.split('\n');
  const said = (word: string) => raw.filter((line) => line.startsWith(word)).map((line) => `${line}\n`);
  expect(said('line').length).toBeGreaterThan(20);
  expect(said('line').join('')).toBe(await readFile(copy, 'utf8'));
  expect(said('error').join('')).toBe(await readFile(`${copy}.err`, 'utf8'));
  const whole = (await farm.run('build', 'log', build, '--step', 'talk')).stdout;
  expect(whole.match(/exit code 0/g)).toHaveLength(1);
  const after = await farm.run('build', 'log', build, '--raw', '--step', 'after');
  expect(after.stdout).toBe('done ***\n');
}

const secrets = { token: SECRET };

describe('a worker killed with -9 in mid-step', () => {
  it.each([100, 3_000])('and back after %d ms adopts the command: result and log are exact', async (ms) => {
    await using dir = await tempDir();
    const [gate, copy] = [join(dir.path, 'gate'), join(dir.path, 'copy')];
    await using farm = await startFarm({ workers: ['w1'], config: talkative(gate, copy), secrets });
    await farm.ask('build', 'start', 'app');
    await until('some output', async () =>
      (await readFile(copy, 'utf8').catch(() => '')).includes('line 20 '),
    );
    await restart(farm, ms);
    await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    await writeFile(gate, '');
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
    await expectExact(farm, copy);
    expect(await farm.ask<BuildObject[]>('build', 'list')).toHaveLength(1);
    expect(await readdir(join(workerDir(farm), 'spool'))).toEqual([]);
  });

  it('again and again, at moments drawn from a seed, with two builds at once', async () => {
    await using dir = await tempDir();
    const gates = ['app', 'other'].map((name) => join(dir.path, `${name}-gate`));
    const copies = ['app', 'other'].map((name) => join(dir.path, `${name}-copy`));
    const random = seeded(3);
    const [first = '', second = ''] = ['app', 'other'].map((name, index) =>
      talkative(gates[index] ?? '', copies[index] ?? '').replace('app:', `${name}:`),
    );
    const other = second.slice(second.indexOf('  other:'));
    await using farm = await startFarm({ workers: ['w1'], config: first + other, secrets });
    await appendFile(join(workerDir(farm), 'worker.yaml'), '\nmaxBuilds: 2\n');
    await restart(farm, 0);
    await farm.ask('build', 'start', 'app');
    await farm.ask('build', 'start', 'other');
    // A worker that is killed before it has noted a build has nothing to go on with.
    await until('both commands to run', () => copies.every((copy) => existsSync(copy)));
    for (let round = 0; round < 6; round += 1) {
      await delay(1_500 * random());
      await restart(farm, 500 * random());
    }
    await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    const talks = (copy: string) => async () =>
      (await readFile(copy, 'utf8').catch(() => '')).includes('line 30 ');
    for (const copy of copies) await until('some output', talks(copy));
    for (const gate of gates) await writeFile(gate, '');
    for (const [index, name] of ['app', 'other'].entries()) {
      expect((await farm.run('build', 'watch', `${name}/1`)).code).toBe(0);
      await expectExact(farm, copies[index] ?? '', `${name}/1`);
    }
    expect(await farm.ask<BuildObject[]>('build', 'list')).toHaveLength(2);
  });

  it('and back when the command has ended: its end and its last words are there', async () => {
    await using dir = await tempDir();
    const [gate, done] = [join(dir.path, 'gate'), join(dir.path, 'done')];
    const config = oneStep(`echo first; ${waitFor(gate)}; echo last; touch ${done}; exit 3`);
    await using farm = await startFarm({ workers: ['w1'], config });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    await farm.workers.get('w1')?.end('SIGKILL');
    await writeFile(gate, '');
    await until('the end to be written down', () => existsSync(done) && endLeft(farm));
    await restart(farm, 0);
    const build = await ended(farm);
    expect([build.result, build.steps?.[0]?.result]).toEqual(['failure', 'failure']);
    expect((await farm.run('build', 'log', 'app/1', '--raw')).stdout).toBe('first\nlast\n');
    await until('the worker to have told of the build that it adopted', async () =>
      /its steps went on meanwhile \(1 build\)/.test(
        (await farm.ask<BuildObject>('build', 'show', 'app/1')).links?.[0]?.words ?? '',
      ),
    );
  });

  it('and its keeper too, once the command has ended: the end was written down, and the build goes on', async () => {
    await using dir = await tempDir();
    const [gate, trace] = [join(dir.path, 'gate'), join(dir.path, 'trace')];
    const config = `${oneStep(`echo first; ${waitFor(gate)}; echo last`)}      - { name: after, run: "echo after >> ${trace}" }\n`;
    await using farm = await startFarm({ workers: ['w1'], config });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    await farm.workers.get('w1')?.end('SIGKILL');
    await writeFile(gate, '');
    await until('the end to be written down', () => endLeft(farm));
    process.kill(await keeperOf(farm), 'SIGKILL');
    await restart(farm, 0);
    const build = await ended(farm);
    expect([build.result, ...(build.steps ?? []).map(({ result }) => result)]).toEqual(
      Array(3).fill('success'),
    );
    expect((await farm.run('build', 'log', 'app/1', '--raw', '--step', 's')).stdout).toBe('first\nlast\n');
    const whole = (await farm.run('build', 'log', 'app/1', '--step', 's')).stdout;
    expect([whole.match(/^\$ echo/gm), whole.match(/exit code 0/g)]).toMatchObject({
      length: 2,
      0: { length: 1 },
      1: { length: 1 },
    });
    expect(await readFile(trace, 'utf8')).toBe('after\n');
  });

  it('and its keeper too, when later steps need secrets: what ran is told truthfully, and the build begins again', async () => {
    await using dir = await tempDir();
    const gate = join(dir.path, 'gate');
    const config = `secrets: { token: { file: secrets/token } }\n${oneStep(`echo first; ${waitFor(gate)}`)}      - { name: after, env: { TOKEN: { secret: token } }, run: "echo after $TOKEN" }\n`;
    await using farm = await startFarm({ workers: ['w1'], config, secrets });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    await farm.workers.get('w1')?.end('SIGKILL');
    await writeFile(gate, '');
    await until('the end to be written down', () => endLeft(farm));
    process.kill(await keeperOf(farm), 'SIGKILL');
    await restart(farm, 0);
    const build = await ended(farm);
    expect([build.result, build.steps?.[0]?.result]).toEqual(['retry', 'success']);
    expect(build.state_string).toMatch(/its secrets went with/);
    expect((await ended(farm, 'app/2')).result).toBe('success');
  });

  it('between steps, many times: each step runs once', async () => {
    await using dir = await tempDir();
    const trace = join(dir.path, 'trace');
    const steps = Array.from(
      { length: 40 },
      (_, n) => `      - { name: s${n}, run: "echo ${n} >> ${trace}; sleep 0.05" }`,
    );
    const config = `workers: { w1: {} }\nbuilders:\n  app:\n    workers: { names: [w1] }\n    steps:\n${steps.join('\n')}\n`;
    await using farm = await startFarm({ workers: ['w1'], config });
    await farm.ask('build', 'start', 'app');
    await until('the first step to run', () => existsSync(trace));
    const random = seeded(4);
    for (let round = 0; round < 4; round += 1) {
      await delay(600 * random());
      await restart(farm, 50);
    }
    expect((await ended(farm)).result).toBe('success');
    expect(await readFile(trace, 'utf8')).toBe(Array.from({ length: 40 }, (_, n) => `${n}\n`).join(''));
  });

  it('while git is at work: the checkout begins anew, over the locks of the one that was killed', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'origin'), {
      'file.txt': 'content\n',
      '.gitattributes': '*.txt filter=slow\n',
    });
    const slow = join(dir.path, 'slow');
    await writeFile(slow, '');
    // A filter of the workspace's repository holds the checkout up, with git's own lock in place, until the gate is gone.
    const filter = `while [ -e ${slow} ]; do sleep 0.1; done; cat`;
    const config = `workers: { w1: {} }
repositories: { src: { git: "${repository.path}", poll: 1h, branches: [main] } }
builders:
  app:
    workers: { names: [w1] }
    repository: src
    steps:
      - { name: filter, run: "git init -q . && git config filter.slow.smudge '${filter}'" }
      - { name: source, git: {} }
      - { name: after, run: "cat file.txt" }
`;
    await using farm = await startFarm({ workers: ['w1'], config });
    await farm.ask('build', 'start', 'app');
    await until('the checkout', () =>
      existsSync(join(workerDir(farm), 'builds', 'app', 'build', '.git', 'index.lock')),
    );
    await farm.workers.get('w1')?.end('SIGKILL');
    await rm(slow);
    await restart(farm, 100);
    const build = await ended(farm);
    const log = (await farm.run('build', 'log', 'app/1', '--step', 'source')).stdout;
    expect([build.result, log]).toEqual(['success', expect.stringContaining('the checkout begins anew')]);
  });

  it('while a full spool holds the step up: it is held up on, nothing is cut, and it goes on when there is room', async () => {
    await using dir = await tempDir();
    const copy = join(dir.path, 'copy');
    const lines = `n=0; while [ $n -lt 40 ]; do n=$((n+1)); printf '%0100000d' 0; echo`;
    const config = oneStep(`${lines}; echo $n >> ${copy}; done`);
    await using farm = await startFarm({ workers: ['w1'], config });
    await appendFile(join(workerDir(farm), 'worker.yaml'), '\nspoolLimit: 1MB\n');
    await restart(farm, 0);
    await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    await farm.ask('build', 'start', 'app');
    await until('it to begin', () => existsSync(copy));
    await farm.master.end('SIGKILL');
    const written = () => readFileSync(copy, 'utf8').split('\n').length - 1;
    const isHeld = async () => {
      const before = written();
      await delay(1_000);
      return written() === before && before;
    };
    const held = await until('the step to be held up', isHeld);
    await restart(farm, 500);
    await delay(2_000);
    expect(written()).toBe(held);
    expect(held).toBeLessThan(40);
    await farm.startMaster();
    const build = await ended(farm);
    expect(build.result).toBe('success');
    const log = (await farm.run('build', 'log', 'app/1', '--raw')).stdout;
    expect(log.length).toBe(40 * 100_001);
    const whole = (await farm.run('build', 'log', 'app/1')).stdout;
    expect(whole).toContain('output is held up');
  });

  it('while a full spool holds the step up, and it is stopped later: it ends, and its build is told as interrupted', async () => {
    const config = oneStep(`echo begun; while :; do printf '%0100000d' 0; echo; done`);
    await using farm = await startFarm({ workers: ['w1'], config });
    await appendFile(join(workerDir(farm), 'worker.yaml'), '\nspoolLimit: 1MB\ndrainTimeout: 1s\n');
    await restart(farm, 0);
    await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    await farm.ask('build', 'start', 'app');
    await running(farm);
    await farm.master.end('SIGKILL');
    await until('the spool to be full', async () => (await spoolBytes(farm)) > 900_000);
    expect(await farm.workers.get('w1')?.end('SIGTERM', 60_000)).toBe(0);
    expect(leftOf(farm)).toEqual([]);
    await farm.startMaster();
    await restart(farm, 0);
    expect((await farm.finished('app/1')).result).toBe('retry');
  });

  it('and a build is cancelled meanwhile: its command is ended when the worker is back', async () => {
    await using farm = await startFarm({ workers: ['w1'], config: oneStep('echo begun; sleep 600') });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    await farm.workers.get('w1')?.end('SIGKILL');
    await farm.run('build', 'cancel', 'app/1');
    await restart(farm, 0);
    expect((await ended(farm)).result).toBe('cancelled');
    await until('the command to end', () => leftOf(farm).length === 0, 10_000);
  });

  it('and nobody comes back: limits and the orphan’s deadline are kept by the keeper', async () => {
    await using farm = await startFarm({
      workers: ['w1'],
      config: `lostWorkerGrace: 8s\n${oneStep('echo begun; sleep 600')}`,
    });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    await farm.workers.get('w1')?.end('SIGKILL');
    const keeper = await keeperOf(farm);
    expect(leftOf(farm)).not.toEqual([]);
    await until('the orphan to end', () => leftOf(farm).length === 0, 8_000);
    // It waits for a worker that may still come, until it is told to go.
    process.kill(keeper, 'SIGTERM');
    await until('the keeper to be gone', () => !lives(keeper), 5_000);
  });
});

describe('the keeper', () => {
  it('killed with -9: the worker ends its builds as retry, and runs the next ones under another', async () => {
    await using farm = await startFarm({ workers: ['w1'], config: oneStep('echo begun; sleep 3') });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    process.kill(await keeperOf(farm), 'SIGKILL');
    await until('the second try', async () => (await farm.client.call('builds', {})).length === 2);
    expect((await ended(farm, 'app/1')).result).toBe('retry');
    expect((await ended(farm, 'app/2')).result).toBe('success');
  });

  it('killed together with its worker: the build ends as it must when a machine is gone', async () => {
    await using farm = await startFarm({ workers: ['w1'], config: oneStep('echo begun; sleep 600') });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    const keeper = await keeperOf(farm);
    const killed = farm.workers.get('w1')?.end('SIGKILL');
    process.kill(keeper, 'SIGKILL');
    await killed;
    await restart(farm, 0);
    expect((await ended(farm)).result).toBe('exception');
    expect(leftOf(farm)).toEqual([]);
  });

  it('goes with a worker that is stopped, and no process of its builds stays', async () => {
    await using farm = await startFarm({ workers: ['w1'], config: oneStep('echo begun; sleep 600') });
    await farm.ask('build', 'start', 'app');
    await running(farm);
    const keeper = await keeperOf(farm);
    const worker = farm.workers.get('w1');
    worker?.child.kill('SIGTERM');
    await worker?.waitFor(/draining/);
    await delay(400);
    expect(await worker?.end('SIGTERM')).toBe(0);
    await until('the keeper to be gone', () => !lives(keeper), 2_000);
    expect(leftOf(farm)).toEqual([]);
  });
});

/** Words of a shell that wait for a file. */
const waitFor = (file: string) => `while [ ! -e ${file} ]; do sleep 0.05; done`;

const oneStep = (run: string) =>
  `workers: { w1: {} }\nbuilders:\n  app:\n    workers: { names: [w1] }\n    steps:\n      - { name: s, run: "${run}" }\n`;

async function running(farm: Farm): Promise<void> {
  await farm.printed('app', /begun|first/);
}

const ended = (farm: Farm, build = 'app/1') => farm.finished(build);

/** Whether the end of a command stands in the worker's spool. */
async function endLeft(farm: Farm): Promise<boolean> {
  const spool = join(workerDir(farm), 'spool');
  return (await readdir(spool)).some((name) => existsSync(join(spool, name, 'end.json')));
}

async function keeperOf(farm: Farm): Promise<number> {
  return Number(await readFile(join(workerDir(farm), '.bbx', 'keeper.lock.pid'), 'utf8'));
}

/** Whether a process runs; one that nobody has waited for does not. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Processes of the worker's builds that live. */
function leftOf(farm: Farm): number[] {
  const marker = workerMarker(join(workerDir(farm), 'builds'));
  return findProcesses({ marker, uids: [process.geteuid?.() ?? 0] });
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

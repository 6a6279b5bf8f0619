import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { startBbx } from '../rigs/bbx.ts';
import { startFarm, type Farm } from '../rigs/farm.ts';
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
});

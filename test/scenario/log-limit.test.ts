import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { startBbx } from '../rigs/bbx.ts';
import { startFarm } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

/** Prints numbered lines of 100 bytes. */
const print = (from: number, to: number) => `seq -f '%06.0f ${'x'.repeat(92)}' ${from} ${to}`;

describe('a log with a limit', () => {
  it('has its beginning and its end, says what is between, and holds what it says, over a kill -9 of the worker', async () => {
    await using dir = await tempDir();
    const gate = join(dir.path, 'gate');
    const run = `${print(1, 20_000)}; until [ -e ${gate} ]; do sleep 0.05; done; ${print(20_001, 30_000)}`;
    const config = `workers: { w1: {} }
logMaxSize: 10KB
logMaxTailSize: 1KB
builders:
  app:
    workers: { names: [w1] }
    steps:
      - { name: much, run: "${run}" }
      - { name: whole, logMaxSize: off, run: "${print(1, 300)}" }
      - { name: little, run: "echo one" }
`;
    await using farm = await startFarm({ workers: ['w1'], config });
    await farm.ask('build', 'start', 'app');
    await until('the cut to be told', async () =>
      (await farm.run('build', 'log', 'app')).stdout.includes(
        'bbx: the log is cut here by its limit of 10240',
      ),
    );
    await farm.workers.get('w1')?.end('SIGKILL');
    farm.workers.set('w1', startBbx(['run', 'worker', join(farm.dir, 'w1')], { cwd: farm.dir }));
    await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    await writeFile(gate, '');
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);

    const much = (await farm.run('build', 'log', 'app/1', '--step', 'much')).stdout.split('\n');
    const numbers = much.filter((line) => /^\d{6} x{92}$/.test(line)).map((line) => Number(line.slice(0, 6)));
    const kept = Math.floor(10_240 / 100);
    const cutAt = numbers.findIndex((number, index) => number !== index + 1);
    expect(cutAt).toBe(kept);
    expect(numbers.slice(cutAt)).toEqual(Array.from({ length: 10 }, (_, n) => 29_991 + n));
    const left = (30_000 - kept - 10) * 100;
    expect(much).toContain(`bbx: cut by limit: ${left} bytes are left out here`);

    const of = async (step: string) =>
      (await farm.run('build', 'log', 'app/1', '--step', step, '--raw')).stdout.length;
    expect(await of('whole')).toBe(30_000);
    expect(await of('little')).toBe(4);
    const { stderr } = await farm.run('build', 'log', 'app/1', '--step', 'much', '--raw');
    expect(stderr).toContain(`cut by limit: ${left.toLocaleString('en')} bytes of the output left out`);
    const { steps } = await farm.ask<BuildObject>('build', 'show', 'app/1');
    expect(steps?.map(({ logs }) => [logs[0]?.cut, logs[0]?.receipt])).toEqual([
      [left, 'verified'],
      [0, 'verified'],
      [0, 'verified'],
    ]);
    const verified = await farm.run('build', 'log', 'app/1', '--verify');
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.stdout).toMatch(/^0 much stdio\tverified\t.*, cut by limit: [\d,]+ bytes/m);
  });
});

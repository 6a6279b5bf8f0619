import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { bbxOk, startBbx } from '../rigs/bbx.ts';
import { cuttableRelay } from '../rigs/cuttable-relay.ts';
import { startFarm, type Farm } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

/** A step that prints numbered lines on both channels until the gate is there; what it printed stands in `copy` too. */
const talkative = (gate: string, copy: string) => `
workers: { w1: {} }
builders:
  app:
    workers: { names: [w1] }
    steps:
      - name: talk
        run: |
          n=0
          while [ ! -e ${gate} ]; do
            n=$((n+1)); printf 'line %d ÿ %0900d\\n' "$n" 0
            sleep 0.01
          done | tee ${copy}
      - { name: after, run: "echo done" }
`;

async function expectExactLog(farm: Farm, copy: string): Promise<void> {
  const build = await farm.ask<BuildObject>('build', 'show', 'app/1');
  expect(build.result).toBe('success');
  expect(build.steps?.map((step) => step.result)).toEqual(['success', 'success']);
  const log = await farm.run('build', 'log', 'app/1', '--raw', '--step', 'talk');
  const expected = await readFile(copy, 'utf8');
  expect(expected.length).toBeGreaterThan(10_000);
  expect(sha256(log.stdout)).toBe(sha256(expected));
}

describe('a build survives', () => {
  it('the master killed with -9 and started again in mid-build: same build, every byte once', async () => {
    await using dir = await tempDir();
    const [gate, copy] = [join(dir.path, 'gate'), join(dir.path, 'copy')];
    await using farm = await startFarm({ workers: ['w1'], config: talkative(gate, copy) });
    await farm.ask('build', 'start', 'app');
    await farm.printed('app', 'line 50 ');

    for (let round = 0; round < 3; round += 1) {
      await farm.master.end('SIGKILL');
      await delay(200 * round);
      await farm.startMaster();
      await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    }
    await writeFile(gate, '');
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
    await expectExactLog(farm, copy);
    const builds = await farm.ask<BuildObject[]>('build', 'list');
    expect(builds).toHaveLength(1);
  });

  it('a master stopped with TERM while it runs: the worker goes on, the next master adopts it', async () => {
    await using dir = await tempDir();
    const [gate, copy] = [join(dir.path, 'gate'), join(dir.path, 'copy')];
    await using farm = await startFarm({ workers: ['w1'], config: talkative(gate, copy) });
    await farm.ask('build', 'start', 'app');
    await farm.printed('app', 'line 20 ');
    const before = performance.now();
    expect(await farm.master.end('SIGTERM')).toBe(0);
    expect(performance.now() - before).toBeLessThan(6_000);
    await writeFile(gate, '');
    await delay(500);
    await farm.startMaster();
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
    await expectExactLog(farm, copy);
  });

  it('the worker unplugged: a dead link is noticed, the build goes on, nothing is lost or doubled', async () => {
    await using dir = await tempDir();
    const [gate, copy] = [join(dir.path, 'gate'), join(dir.path, 'copy')];
    await using relay = await cuttableRelay();
    await using farm = await startFarm({ config: talkative(gate, copy), reach: relay.address });
    relay.target = farm.address;
    await farm.startWorker('w1');
    await farm.ask('build', 'start', 'app');
    await farm.printed('app', 'line 20 ');

    relay.unplug();
    await until(
      'the master to notice',
      async () => !(await farm.client.call('worker', { params: { worker: 'w1' } })).connected,
      45_000,
    );
    relay.reset();
    relay.plug();
    await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    await writeFile(gate, '');
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
    await expectExactLog(farm, copy);
  });

  it('a link that is reset again and again', async () => {
    await using dir = await tempDir();
    const [gate, copy] = [join(dir.path, 'gate'), join(dir.path, 'copy')];
    await using relay = await cuttableRelay();
    await using farm = await startFarm({ config: talkative(gate, copy), reach: relay.address });
    relay.target = farm.address;
    const worker = join(farm.dir, 'w1');
    await bbxOk(['create-worker', worker, '--master', relay.address, '--name', 'w1'], { cwd: farm.dir });
    await using program = startBbx(['run', 'worker', worker], { cwd: farm.dir });
    await program.waitFor(/approve/);
    await until(
      'the worker to be pending',
      async () => (await farm.run('worker', 'approve', 'w1')).code === 0,
    );
    await farm.run('worker', 'show', 'w1', '--wait', 'attached');
    await farm.ask('build', 'start', 'app');
    await farm.printed('app', 'line 20 ');
    for (let round = 0; round < 8; round += 1) {
      relay.reset();
      await until('the worker to be back', () => relay.connections() > 0);
      await delay(100);
    }
    await writeFile(gate, '');
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
    await expectExactLog(farm, copy);
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

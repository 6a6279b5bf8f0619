import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BuildObject, WhyObject, WorkerObject } from '../../src/api/objects.ts';
import { bbx, bbxOk, startBbx } from '../rigs/bbx.ts';
import { cuttableRelay } from '../rigs/cuttable-relay.ts';
import { startFarm } from '../rigs/farm.ts';
import { shiftedClock } from '../../src/drill/shifted-clock.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const config = (run: string) => `
workers: { w1: {} }
builders:
  app: { workers: { names: [w1] }, steps: [ { name: work, run: ${JSON.stringify(run)} } ] }
`;

describe('a lost link', () => {
  it('is told in the build, by both sides: when, for how long, from which address to which', async () => {
    await using dir = await tempDir();
    await using relay = await cuttableRelay();
    const gate = join(dir.path, 'gate');
    await using farm = await startFarm({
      host: '127.0.0.1',
      reach: relay.address,
      config: config(`echo begun; while [ ! -e ${gate} ]; do sleep 0.05; done; echo done`),
    });
    relay.target = farm.address;
    relay.from = '127.0.0.2';
    await farm.startWorker('w1', relay.address);
    await farm.ask('build', 'start', 'app');
    await farm.printed('app', 'begun');

    relay.from = '127.0.0.3';
    relay.reset();
    const told = await until('the worker’s word', async () => {
      const { links } = await farm.ask<BuildObject>('build', 'show', 'app/1');
      return links?.[0]?.worker == null ? undefined : links;
    });
    await writeFile(gate, '');
    expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);

    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      cause: 'address-changed',
      words: "worker's address changed from 127.0.0.2 to 127.0.0.3, nothing lost",
      from: expect.stringMatching(/^127\.0\.0\.2:\d+$/) as string,
      to: expect.stringMatching(/^127\.0\.0\.3:\d+$/) as string,
      closed_by: 'nobody',
    });
    expect(told[0]!.seconds).toBeLessThan(3.5);
    expect(Math.abs(told[0]!.clock_ahead!)).toBeLessThan(0.5);
    expect((await farm.run('build', 'show', 'app/1')).stdout).toMatch(
      /^link\tlost \d{4}-\S+Z\/\d{4}-\S+Z \(\d\.\d s\): worker's address changed from 127\.0\.0\.2 to 127\.0\.0\.3, nothing lost$/m,
    );
    const why = await farm.ask<WhyObject>('why', 'app/1');
    expect(why.reasons.map(({ about }) => about)).toContain('link, seen by the worker');
    const worker = await farm.ask<WorkerObject>('worker', 'show', 'w1');
    expect(worker.link).toMatchObject({ lost_hour: 1, lost_day: 1, last: { cause: 'address-changed' } });
    const own = await bbxOk(['status', '--dir', join(farm.dir, 'w1')], { cwd: farm.dir });
    expect(own.stdout).toMatch(/^state\tconnected$/m);
    expect(own.stdout).toMatch(/Z\tlost after .*: the connection was gone \(1006 /m);
  });

  it('is told when the worker process died: its next one tells of the former', async () => {
    await using dir = await tempDir();
    const gate = join(dir.path, 'gate');
    await using farm = await startFarm({
      workers: ['w1'],
      config: config(`while [ ! -e ${gate} ]; do sleep 0.05; done`),
    });
    await farm.ask('build', 'start', 'app');
    await until(
      'running',
      async () => (await farm.client.call('worker', { params: { worker: 'w1' } })).running === 1,
    );
    await farm.workers.get('w1')!.end('SIGKILL');
    await delay(300);
    await farm.startWorker('w1');
    const { links } = await farm.ask<BuildObject>('build', 'show', 'app/1');
    expect(links?.[0]).toMatchObject({
      cause: 'worker-restarted',
      words: expect.stringMatching(/^the worker's process died and was started again/) as string,
    });
    await writeFile(gate, '');
  });
});

describe('a clock that jumps', () => {
  it.each<[words: string, whose: 'worker' | 'master', by: number, dies?: boolean]>([
    ['the worker’s, forward', 'worker', 3_600],
    ['the worker’s, back', 'worker', -3_600],
    // Its keeper has seen the jump, its next process has not.
    ['that of a worker whose process dies then, forward', 'worker', 3_600, true],
    ['that of a worker whose process dies then, back', 'worker', -3_600, true],
    ['the master’s, forward', 'master', 3_600],
    ['the master’s, back', 'master', -3_600],
  ])(
    '%s by an hour in mid-build: times hold, nothing is lost or given up',
    async (_, whose, by, dies = false) => {
      await using dir = await tempDir();
      const gate = join(dir.path, 'gate');
      const clock = shiftedClock(join(dir.path, 'shift'));
      await using relay = await cuttableRelay();
      await using farm = await startFarm({
        reach: relay.address,
        config: config(`echo begun; while [ ! -e ${gate} ]; do sleep 0.05; done; echo done`),
        ...(whose === 'master' ? { masterAt: { env: clock.env } } : { workersAt: { env: clock.env } }),
      });
      relay.target = farm.address;
      await farm.startWorker('w1', relay.address);
      const asked = Date.now() / 1000;
      await farm.ask('build', 'start', 'app');
      await farm.printed('app', 'begun');
      await clock.jump(by);
      await delay(200);
      // A session that begins after the jump has another idea of the clocks, and comes to the same times.
      if (dies) {
        await farm.workers.get('w1')!.end('SIGKILL');
        await farm.startWorker('w1', relay.address);
      } else relay.reset();
      await delay(500);
      await farm.run('worker', 'show', 'w1', '--wait', 'attached');
      await writeFile(gate, '');
      expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
      const now = Date.now() / 1000;

      const build = await farm.ask<BuildObject>('build', 'show', 'app/1');
      const [step] = build.steps!;
      const times = [
        asked - 1,
        build.started_at,
        step!.started_at!,
        step!.complete_at!,
        build.complete_at!,
        now + 1,
      ];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      const pieces = await Array.fromAsync(farm.client.pieces({ build: 'app/1', step: '0', log: 'stdio' }));
      expect(pieces.length).toBeGreaterThan(1);
      for (const { at } of pieces) {
        expect(at).toBeGreaterThan(build.started_at - 1);
        expect(at).toBeLessThan(build.complete_at! + 1);
      }
      expect(build.links).toHaveLength(1);
      expect(build.links![0]!.lost_at).toBeGreaterThanOrEqual(build.started_at);
      expect(build.links![0]!.seconds).toBeLessThan(5);
      // The next build begins at the machine's time again, whatever that is now.
      expect((await farm.run('build', 'start', 'app', '--wait')).code).toBe(0);
      const next = await farm.ask<BuildObject>('build', 'show', 'app/2');
      expect(next.complete_at! - next.started_at).toBeGreaterThanOrEqual(0);
      expect(next.complete_at! - next.started_at).toBeLessThan(30);
      if (whose === 'master') expect(Math.abs(next.started_at - by - Date.now() / 1000)).toBeLessThan(60);
    },
  );
});

describe('a copied worker directory', () => {
  it('cannot do harm: the newer session wins, and no build comes twice', async () => {
    await using dir = await tempDir();
    const gate = join(dir.path, 'gate');
    await using farm = await startFarm({
      workers: ['w1'],
      config: config(`echo begun; while [ ! -e ${gate} ]; do sleep 0.05; done; echo done`),
    });
    await farm.ask('build', 'start', 'app');
    await farm.printed('app', 'begun');
    const copy = join(farm.dir, 'copy');
    await cp(join(farm.dir, 'w1'), copy, { recursive: true, filter: (path) => !/\.(sock|pid)$/.test(path) });

    // The copy takes the place; the first process ends with 8, and its service manager starts it anew.
    const second = startBbx(['run', 'worker', copy], { cwd: farm.dir });
    const first = farm.workers.get('w1')!;
    expect(await first.ended).toBe(8);
    expect(first.output()).toMatch(/has connected from \[::1\]:\d+/);
    await second.end();
    await writeFile(gate, '');
    await farm.startWorker('w1');
    await farm.run('build', 'watch', 'app');
    const builds = await farm.ask<BuildObject[]>('build', 'list');
    expect(builds.filter(({ complete }) => complete)).toHaveLength(builds.length);
    expect(new Set(builds.map(({ attempt }) => attempt)).size).toBe(builds.length);
    expect((await readFile(join(copy, '.bbx', 'link.jsonl'), 'utf8')).length).toBeGreaterThan(0);
    expect((await bbx(['status'], { cwd: copy })).code).toBe(0);
  });
});

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { startBbx } from '../rigs/bbx.ts';
import { startFarm, type Farm } from '../rigs/farm.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { DUAL, firstLine, labHost, labHostsAllowed, type LabHost } from './lab-host.ts';

const GIT_SERVER = fileURLToPath(new URL('git-server.ts', import.meta.url));
const allowed = labHostsAllowed('names with a dead address');

/** What a dead address beside a good one may cost, ms: the racer's 250 ms, and as much again for a busy machine. */
const MARGIN_MS = 500;
/** The best of so many counts: what else the machine does is not the question. */
const TRIES = 5;

const DEAD = { 6: '2a00:2::10', 4: '11.0.5.1' };
const GOOD = { 6: '2a00:1::2', 4: '11.0.0.2' };
const NAMES = {
  'four.test': [GOOD[4]],
  'six.test': [GOOD[6]],
  'dead-six.test': [DEAD[6], GOOD[4]],
  'dead-four.test': [GOOD[6], DEAD[4]],
};
const CASES = [
  { title: 'a dead AAAA and a good A', name: 'dead-six.test', alone: 'four.test', peer: GOOD[4] },
  { title: 'a dead A and a good AAAA', name: 'dead-four.test', alone: 'six.test', peer: `[${GOOD[6]}]` },
] as const;

describe.skipIf(!allowed)('a name with', () => {
  let host: LabHost;
  let farm: Farm;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    host = stack.use(
      await labHost({
        setup: [
          ...DUAL,
          // The routers are there and drop everything: no answer, and no error either.
          'ip neigh replace 2a00:1::1 lladdr 02:00:00:00:00:01 nud permanent dev v0',
          'ip neigh replace 11.0.0.1 lladdr 02:00:00:00:00:01 nud permanent dev v0',
        ],
        hosts: Object.entries(NAMES)
          .flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}`))
          .join('\n'),
      }),
    );
    const dir = stack.use(await tempDir());
    await mkdir(join(dir.path, 'served'));
    await gitRepository(join(dir.path, 'served/app.git'), { 'a.txt': 'read over http\n' });
    const server = host.start(process.execPath, GIT_SERVER, join(dir.path, 'served'), 'me', 'secret');
    const port = await firstLine(server);
    const names = Object.keys(NAMES);
    const builders = names.map(
      (name) =>
        `  ${name}: { repository: ${name}, steps: [ { git: { mode: full } }, { run: cat a.txt } ] }\n`,
    );
    const sources = names.map(
      (name) =>
        `  ${name}: { git: "http://${name}:${port}/app.git", poll: off, credentials: { secret: LOGIN } }\n`,
    );
    farm = stack.use(
      await startFarm({
        config: [
          `secrets: { LOGIN: { file: secrets/login } }\nrepositories:\n`,
          ...sources,
          'builders:\n',
          ...builders,
        ].join(''),
        secrets: { login: names.map((name) => `http://me:secret@${name}:${port}`).join('\n') },
        listen: { workers: '[::]:9989', web: 'localhost:8010' },
        reach: 'four.test:9989',
        workers: ['w1'],
        masterAt: { within: host.within },
        workersAt: { within: host.within },
      }),
    );
    await farm.workers.get('w1')?.end();
  });
  afterAll(() => stack.disposeAsync());

  it.each([6, 4] as const)(
    'the dead IPv%d address of these tests neither answers nor refuses',
    async (family) => {
      const probe = `timeout 1 bash -c 'exec 3<>/dev/tcp/${DEAD[family]}/9989' && echo open || echo $?`;
      // 124: the time was over.
      expect((await host.sh(probe)).trim()).toBe('124');
    },
  );

  /** From the worker's first word to the sentence that it is connected, ms, by its own clock. */
  async function connectMs(name: string): Promise<{ ms: number; peer: string }> {
    const words = ['run', 'worker', join(farm.dir, 'w1'), '--log-format', 'json'];
    await using worker = startBbx(words, {
      cwd: farm.dir,
      within: host.within,
      env: { BBX_CONFIG_MASTER: `${name}:9989` },
    });
    const match = await worker.waitFor(/^.*Connected to the master at.*$/m);
    const lines = worker.output().split('\n');
    const at = (text: string) => Date.parse((JSON.parse(text) as { time: string }).time);
    const { peer } = JSON.parse(match[0]) as { peer: string };
    return { ms: at(match[0]) - at(lines[0] ?? ''), peer };
  }

  /** What the connect to the one name takes longer than to the other, ms, at best. */
  async function difference(measure: (name: string) => Promise<number>, name: string, alone: string) {
    const [slow, quick]: [number[], number[]] = [[], []];
    for (let n = 0; n < TRIES; n += 1) {
      quick.push(await measure(alone));
      slow.push(await measure(name));
      if (Math.min(...slow) - Math.min(...quick) <= MARGIN_MS) break;
    }
    return Math.min(...slow) - Math.min(...quick);
  }

  it.each(CASES)('$title takes a worker hardly longer', async ({ name, alone, peer }) => {
    const measure = async (to: string) => {
      const connected = await connectMs(to);
      expect(connected.peer).toBe(`${peer}:9989`);
      return connected.ms;
    };
    expect(await difference(measure, name, alone)).toBeLessThanOrEqual(MARGIN_MS);
  });

  it.each(CASES)('$title takes a git step hardly longer', async ({ name, alone }) => {
    await using _worker = startBbx(['run', 'worker', join(farm.dir, 'w1')], {
      cwd: farm.dir,
      within: host.within,
    });
    const measure = async (builder: string) => {
      const { code, stderr } = await farm.run('build', 'start', builder, '--wait');
      expect(stderr).toContain('success');
      expect(code).toBe(0);
      const build = await farm.ask<BuildObject>('build', 'show', builder);
      const [git] = build.steps ?? [];
      return ((git?.complete_at ?? NaN) - (git?.started_at ?? NaN)) * 1000;
    };
    expect(await difference(measure, name, alone)).toBeLessThanOrEqual(MARGIN_MS);
    expect((await farm.run('build', 'log', name, '--raw', '--step', '1')).stdout).toBe('read over http\n');
  });
});

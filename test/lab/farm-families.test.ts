import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import type { WorkerObject } from '../../src/api/objects.ts';
import { bbx, bbxOk } from '../rigs/bbx.ts';
import { startFarm, type Farm } from '../rigs/farm.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';
import { firstLine, IPV4_ALONE, IPV6_ALONE, labHost, labHostsAllowed, type LabHost } from './lab-host.ts';

const allowed = labHostsAllowed('farms of one address family');

const CONFIG = `
builders:
  app: { steps: [ run: "printf 'one\\\\ntwo\\\\0three'" ] }
  four: { workers: { names: [w4] }, steps: [ run: "echo 4" ] }
  six: { workers: { names: [w6] }, steps: [ run: "echo 6" ] }
`;

const GIT_SERVER = fileURLToPath(new URL('git-server.ts', import.meta.url));
const withRepository = (port: string) => `
secrets: { LOGIN: { file: secrets/login } }
repositories: { source: { git: "http://localhost:${port}/app.git", poll: 1s, credentials: { secret: LOGIN } } }
${CONFIG}  web: { repository: source, steps: [ git: {}, run: cat a.txt ] }
`;

/** A farm whose programs run on `host`, the workers' perhaps on another. */
function farmOn(
  host: LabHost,
  reach: string,
  workers: readonly string[],
  theirs = host,
  work: { config: string; secrets?: Record<string, string> } = { config: CONFIG },
): Promise<Farm> {
  return startFarm({
    workers,
    ...work,
    listen: { workers: '[::]:9989', web: 'localhost:8010' },
    reach,
    masterAt: { within: host.within },
    workersAt: { within: theirs.within },
  });
}

async function expectBuild(farm: Farm, builder: string, log: string, step = 0): Promise<void> {
  const { code, stderr } = await farm.run('build', 'start', builder, '--wait');
  expect(stderr).toContain('success');
  expect(code).toBe(0);
  expect((await farm.run('build', 'log', builder, '--raw', '--step', String(step))).stdout).toBe(log);
}

const buildApp = (farm: Farm) => expectBuild(farm, 'app', 'one\ntwo\0three');

/** Where a worker came from, as the master saw it. */
async function peerOf(farm: Farm, worker: string): Promise<string> {
  const { connected, peer } = await farm.ask<WorkerObject>('worker', 'show', worker);
  expect(connected).toBe(true);
  return String(peer).replace(/:\d+$/, '');
}

/** The doctor has nothing to complain about in any of these places. */
async function expectHealthy(host: LabHost, places: readonly string[]): Promise<void> {
  await Promise.all(
    places.map(async (cwd) => {
      const ran = await bbx(['doctor', '--strict', '--json'], { cwd, within: host.within });
      const { findings } = ran.json<DoctorReport>();
      expect(findings.filter(({ status }) => status !== 'info')).toEqual([]);
      expect(ran.code).toBe(0);
    }),
  );
}

describe.skipIf(!allowed)('a host with one address family', () => {
  it.each([
    { has: 'IPv6', setup: IPV6_ALONE, loopback: '[::1]', bound: '[::]:9989' },
    { has: 'IPv4', setup: IPV4_ALONE, loopback: '127.0.0.1', bound: '0.0.0.0:9989' },
  ])(
    'with $has alone has a whole farm, and nothing to complain about',
    async ({ setup, loopback, bound }) => {
      await using host = await labHost({ setup });
      await using dir = await tempDir();
      await gitRepository(join(dir.path, 'app.git'), { 'a.txt': 'over http\n' });
      const port = await firstLine(host.start(process.execPath, GIT_SERVER, dir.path, 'me', 'secret'));
      await using farm = await farmOn(host, `${loopback}:9989`, ['w1'], host, {
        config: withRepository(port),
        secrets: { login: `http://me:secret@localhost:${port}` },
      });
      await buildApp(farm);
      await expectBuild(farm, 'web', 'over http\n', 1);
      await until('a good poll', async () =>
        /last polled [^,]* ago, every 1s\t/.test((await farm.run('why', 'source')).stdout),
      );
      expect(await peerOf(farm, 'w1')).toBe(loopback);
      const status = await farm.run('status');
      expect(status.code).toBe(0);
      expect(status.stdout).toContain(`listen-workers\t${bound}\n`);
      expect(status.stdout).toMatch(/worker\tw1\tattached/);
      await expectHealthy(host, [farm.masterDir, join(farm.dir, 'w1'), farm.dir, '/']);
      expect(farm.master.output()).not.toContain('Worker detached');
    },
  );

  it.each([
    { has: 'IPv6', setup: IPV6_ALONE, says: 'talk over [::1]:9989 (IPv6)' },
    { has: 'IPv4', setup: IPV4_ALONE, says: 'talk over 127.0.0.1:9989 (this host has no IPv6)' },
  ])('with $has alone has a quickstart that says which it uses', async ({ setup, says }) => {
    await using host = await labHost({ setup });
    await using dir = await tempDir();
    await gitRepository(join(dir.path, 'app'), { 'a.txt': 'read\n' });
    const words = [
      'quickstart',
      'farm',
      '--repository',
      join(dir.path, 'app'),
      '--run',
      'cat a.txt',
      '--yes',
      '--once',
    ];
    const ran = await bbxOk(words, { cwd: dir.path, within: host.within, limitMs: 60_000 });
    // The sentence goes over two lines.
    expect(ran.stderr.replaceAll('\n', ' ')).toContain(says);
    expect(ran.stdout + ran.stderr).toContain('app/1 ended as success');
  });
});

describe.skipIf(!allowed)('a master that listens on [::] of a host with both families', () => {
  it('is reached by IPv4 and by IPv6', async () => {
    const setup = ['ip addr add 11.0.0.2/32 dev lo', 'ip -6 addr add 2a00:1::2/128 dev lo nodad'];
    await using host = await labHost({ setup });
    await using farm = await farmOn(host, '[2a00:1::2]:9989', []);
    await Promise.all([farm.startWorker('w4', '11.0.0.2:9989'), farm.startWorker('w6', '[2a00:1::2]:9989')]);
    expect(await peerOf(farm, 'w4')).toBe('11.0.0.2');
    expect(await peerOf(farm, 'w6')).toBe('[2a00:1::2]');
    await Promise.all([expectBuild(farm, 'four', '4\n'), expectBuild(farm, 'six', '6\n')]);
    await expectHealthy(host, [farm.masterDir, join(farm.dir, 'w4'), join(farm.dir, 'w6')]);
  });
});

describe.skipIf(!allowed)('a master and a worker on two hosts with an IPv6 link between them', () => {
  it('meet by a global address, and by a link-local one with its zone', async () => {
    await using master = await labHost({ setup: IPV6_ALONE });
    await using worker = await labHost({ setup: IPV6_ALONE, beside: master });
    await layLink(master, worker);
    await using farm = await farmOn(master, '[2a00:1::a]:9989', ['w1'], worker);
    expect(await peerOf(farm, 'w1')).toBe('[2a00:1::b]');
    await buildApp(farm);
    await expectHealthy(worker, [join(farm.dir, 'w1')]);

    await farm.startWorker('w6', '[fe80::a%v0]:9989');
    expect(await peerOf(farm, 'w6')).toBe('[fe80::b%v0]');
    await expectBuild(farm, 'six', '6\n');
    await expectHealthy(worker, [join(farm.dir, 'w6')]);
    await expectHealthy(master, [farm.masterDir]);
  });
});

/** Lays a link between two hosts; it is `v0` on both. */
async function layLink(master: LabHost, worker: LabHost): Promise<void> {
  await master.sh(
    'ip link add v0 type veth peer name w0',
    'sysctl -qw net.ipv6.conf.v0.addr_gen_mode=1',
    'ip -6 addr add fe80::a/64 dev v0 nodad; ip -6 addr add 2a00:1::a/64 dev v0 nodad',
    `ip link set w0 netns ${worker.pid}; ip link set v0 up`,
  );
  await worker.sh(
    'ip link set w0 name v0',
    'sysctl -qw net.ipv6.conf.v0.addr_gen_mode=1',
    'ip -6 addr add fe80::b/64 dev v0 nodad; ip -6 addr add 2a00:1::b/64 dev v0 nodad; ip link set v0 up',
  );
}

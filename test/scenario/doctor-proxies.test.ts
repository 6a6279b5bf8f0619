import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx, bbxOk, startBbx } from '../rigs/bbx.ts';
import { has } from '../rigs/debian.ts';
import { freePort, startFarm } from '../rigs/farm.ts';
import { startMicrosocks, startTinyproxy } from '../rigs/proxies.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { startSshd, type Sshd } from '../rigs/sshd.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const want =
  has('microsocks') && has('tinyproxy') && has('sshd') && has('ssh')
    ? undefined
    : 'no microsocks, tinyproxy or sshd';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
function keep<T extends AsyncDisposable>(one: T): T {
  open.push(one);
  return one;
}

async function bound(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  keep({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  return (server.address() as AddressInfo).port;
}

async function doctor(words: readonly string[], env: Record<string, string> = {}) {
  const dir = keep(await tempDir());
  const ran = await bbx(['doctor', ...words, '--json'], { cwd: dir.path, env: { HOME: dir.path, ...env } });
  const report = ran.json<DoctorReport>();
  const grave = report.findings.filter(({ status }) => status === 'error' || status === 'warn');
  return { ran, report, grave, ids: grave.map(({ id }) => id) };
}

/** `ssh -L`, until the end of the test. */
function forward(sshd: Sshd, words: string): void {
  const url = new URL(sshd.url('/'));
  const ssh = spawn('ssh', [
    ...['-F', '/dev/null', '-i', sshd.key],
    ...['-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${sshd.knownHosts}`],
    ...['-N', '-o', 'ExitOnForwardFailure=yes', '-L', words],
    ...['-p', url.port, '-l', url.username, '::1'],
  ]);
  keep({
    async [Symbol.asyncDispose]() {
      if (ssh.exitCode !== null) return;
      ssh.kill();
      await once(ssh, 'exit');
    },
  });
}

const FARM = {
  config: 'workers: { w1: {} }\nbuilders:\n  app: { workers: { names: [w1] }, steps: [ { run: "true" } ] }\n',
};

describe.skipIf(skipAloud('the doctor and proxies', want))('bbx doctor reach --via', () => {
  it('finds the master behind each kind of hop, and measures its clock through it', async () => {
    const dir = keep(await tempDir());
    const farm = keep(await startFarm(FARM));
    const socks = keep(await startMicrosocks());
    const http = keep(await startTinyproxy(dir.path));
    const sshd = keep(await startSshd(join(dir.path, 'sshd')));
    const env = {
      BBX_SSH_COMMAND: `ssh -F /dev/null -i ${sshd.key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${sshd.knownHosts}`,
    };
    for (const hops of [
      [`socks5://127.0.0.1:${socks.port}`],
      [`http://127.0.0.1:${http.port}`],
      [sshd.url('').replace('ssh://', 'ssh:'), `socks5://127.0.0.1:${socks.port}`],
    ]) {
      const { ran, ids, report } = await doctor(
        ['reach', farm.address, ...hops.flatMap((hop) => ['--via', hop])],
        env,
      );
      expect(ids).toEqual([]);
      expect(ran.code).toBe(0);
      expect(report.verdicts[0]).toMatchObject({
        to: farm.address,
        verdict: 'reachable',
        rungs: { R0: 'none', R2: 'ok', R3: 'ok', R4: 'ok' },
      });
      expect(report.checks.find(({ id }) => id === 'CLK-01')).toMatchObject({ status: 'ok' });
    }
  });

  it('F70: tells what an HTTP proxy refuses: the port, a login, a target that it cannot reach', async () => {
    const dir = keep(await tempDir());
    const target = await bound((socket) => void socket.write('SSH-2.0-x\r\n'));
    const strict = keep(await startTinyproxy(dir.path, { connectPorts: [443] }));
    const port = await doctor(['reach', `127.0.0.1:${target}`, '--via', `http://127.0.0.1:${strict.port}`]);
    expect(port.grave).toMatchObject([
      {
        id: 'PRX-02',
        title: expect.stringMatching(
          /does not allow connections to 127\.0\.0\.1:\d+ \(it answered 403/,
        ) as string,
        fix: [{ text: expect.stringContaining(`"ConnectPort ${target}"`) as string }],
      },
    ]);
    expect(port.ran.code).toBe(1);
    expect(port.report.verdicts[0]).toMatchObject({ verdict: 'unreachable', rungs: { R2: 'fail' } });
    const locked = keep(await startTinyproxy(dir.path, { user: 'farm', password: 'open-sesame' }));
    const via = ['reach', `127.0.0.1:${target}`, '--via', `http://127.0.0.1:${locked.port}`];
    expect((await doctor(via)).grave).toMatchObject([
      { id: 'PRX-02', title: expect.stringContaining('wants a user and password') as string },
    ]);
    const netrc = join(dir.path, 'netrc');
    await writeFile(netrc, 'machine 127.0.0.1 login farm password hunter2-secret\n', { mode: 0o600 });
    const wrong = await doctor(via, { NETRC: netrc });
    expect(wrong.grave).toMatchObject([
      { id: 'PRX-02', title: expect.stringContaining('refuses the user and password') as string },
    ]);
    expect(wrong.ran.stdout + wrong.ran.stderr).not.toContain('hunter2-secret');
    const open = keep(await startTinyproxy(dir.path));
    const dead = await doctor([
      'reach',
      `127.0.0.1:${await freePort('127.0.0.1')}`,
      '--via',
      `http://127.0.0.1:${open.port}`,
    ]);
    expect(dead.grave).toMatchObject([
      { id: 'PRX-02', title: expect.stringContaining('cannot reach') as string },
    ]);
  });

  it('F71: tells what a SOCKS proxy refuses, and which hop of two it is', async () => {
    const socks = keep(await startMicrosocks({ user: 'farm', password: 'open-sesame' }));
    const hop = `socks5://127.0.0.1:${socks.port}`;
    const none = await doctor(['reach', '127.0.0.1:1', '--via', hop]);
    expect(none.grave).toMatchObject([{ id: 'PRX-05', title: `${hop} wants a user and password` }]);
    const first = keep(await startMicrosocks());
    const nobody = await freePort('127.0.0.1');
    const chain = ['--via', `socks5://127.0.0.1:${first.port}`, '--via', `http://127.0.0.1:${nobody}`];
    expect((await doctor(['reach', 'ci.example:9989', ...chain])).grave).toMatchObject([
      { id: 'PRX-05', title: expect.stringContaining('the connection was refused there') as string },
    ]);
  });

  it('says that the first hop is not there once, as of any target', async () => {
    const nobody = await freePort('127.0.0.1');
    const { grave, report } = await doctor([
      'reach',
      'ci.example:9989',
      '--via',
      `socks5://127.0.0.1:${nobody}`,
    ]);
    expect(grave).toMatchObject([{ id: 'PTH-04', target: `127.0.0.1:${nobody}` }]);
    expect(report.verdicts.find(({ to }) => to === 'ci.example:9989')).toMatchObject({
      verdict: 'unreachable',
    });
  });

  it("gives ssh's own words: an unknown host key, a key that is not let in", async () => {
    const dir = keep(await tempDir());
    const sshd = keep(await startSshd(join(dir.path, 'sshd')));
    const words = ['reach', '[::1]:1', '--via', sshd.url('').replace('ssh://', 'ssh:')];
    const ssh = (key: string, known: string) => ({
      BBX_SSH_COMMAND: `ssh -F /dev/null -i ${key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${known}`,
    });
    const unknown = await doctor(words, ssh(sshd.key, '/dev/null'));
    expect(unknown.grave).toMatchObject([
      { id: 'PRX-06', title: expect.stringContaining('Host key verification failed') as string },
    ]);
    const stranger = await doctor(words, ssh(sshd.strangersKey, sshd.knownHosts));
    expect(stranger.grave).toMatchObject([
      { id: 'PRX-06', title: expect.stringContaining('Permission denied') as string },
    ]);
  });

  it('F72: names the ssh whose forwarding leads nowhere', async () => {
    const dir = keep(await tempDir());
    const sshd = keep(await startSshd(join(dir.path, 'sshd')));
    const [local, nobody] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')];
    forward(sshd, `127.0.0.1:${local}:127.0.0.1:${nobody}`);
    const find = () => doctor(['reach', `127.0.0.1:${local}`]);
    await expect.poll(async () => (await find()).ids, { interval: 200 }).toEqual(['PRX-06']);
    const { grave } = await find();
    expect(grave[0]).toMatchObject({
      confidence: 'proven',
      title: expect.stringMatching(/^ssh takes connections for /) as string,
    });
  });

  it('tells of a forward that has one of the two addresses of localhost', async () => {
    const dir = keep(await tempDir());
    const sshd = keep(await startSshd(join(dir.path, 'sshd')));
    const farm = keep(await startFarm(FARM));
    const local = await freePort('127.0.0.1');
    forward(sshd, `127.0.0.1:${local}:${farm.address}`);
    const find = () => doctor(['reach', `localhost:${local}`]);
    await expect.poll(async () => (await find()).ids, { interval: 200, timeout: 10_000 }).toEqual(['PRX-07']);
    const { grave, report } = await find();
    expect(grave[0]?.title).toMatch(/^ssh forwards localhost:\d+ on 127\.0\.0\.1 alone/);
    expect(report.verdicts[0]?.verdict).not.toBe('unreachable');
  });
});

describe.skipIf(skipAloud('the doctor and proxies', want))('bbx doctor proxy', () => {
  it('goes the way of the worker whose directory it is, and looks at its running environment', async () => {
    const dir = keep(await tempDir());
    const farm = keep(await startFarm({ ...FARM }));
    const proxy = keep(await startTinyproxy(dir.path));
    const home = join(farm.dir, 'w2');
    const joined = await bbxOk(['worker', 'add', 'w1', '--dir', farm.masterDir], { cwd: farm.dir });
    const flags = [
      '--master',
      farm.address,
      '--name',
      'w1',
      '--join',
      '-',
      '--via',
      `http://127.0.0.1:${proxy.port}`,
    ];
    await bbxOk(['create-worker', home, ...flags], { cwd: farm.dir, input: joined.stdout });
    await using worker = startBbx(['run', 'worker', home], {
      cwd: farm.dir,
      env: { https_proxy: 'http://farm:hunter2-secret@127.0.0.1:3128' },
    });
    await bbxOk(['worker', 'show', 'w1', '--wait', 'attached', '--dir', farm.masterDir], { cwd: farm.dir });
    const look = async () => {
      const ran = await bbx(['doctor', 'proxy', '--json', '--dir', home], {
        cwd: farm.dir,
        env: { HOME: farm.dir },
      });
      return { ran, report: ran.json<DoctorReport>() };
    };
    const { ran, report } = await look();
    expect(ran.code).toBe(0);
    expect(report.verdicts.find(({ to }) => to === farm.address)).toMatchObject({
      verdict: 'reachable',
      rungs: { R6: 'ok' },
    });
    const settings = report.findings.find(({ id }) => id === 'PRX-01');
    expect(settings).toMatchObject({
      status: 'info',
      title: expect.stringContaining('names a proxy, and this shell none') as string,
    });
    expect(JSON.stringify(settings)).toContain('127.0.0.1:3128');
    expect(ran.stdout).not.toContain('hunter2-secret');
    expect(worker.output()).not.toContain('hunter2-secret');
    await proxy[Symbol.asyncDispose]();
    const gone = await look();
    expect(gone.ran.code).toBe(1);
    expect(gone.report.findings.filter(({ status }) => status === 'error')).toMatchObject([
      { id: 'PTH-04', target: `127.0.0.1:${proxy.port}` },
    ]);
  });

  it('reads variables that contradict each other or are no addresses, and tries the proxy that they name', async () => {
    const nobody = await freePort('127.0.0.1');
    const { grave } = await doctor(['proxy'], {
      http_proxy: `http://127.0.0.1:${nobody}`,
      HTTP_PROXY: 'http://other.example:3128',
      https_proxy: 'http://[::1:3128',
    });
    expect(grave.filter(({ id }) => id === 'PRX-01').map(({ title }) => title)).toEqual([
      expect.stringContaining(
        `http_proxy of environment leads to a proxy that does not answer: 127.0.0.1:${nobody}`,
      ),
      expect.stringContaining('https_proxy of environment is no address of a proxy'),
      expect.stringContaining('http_proxy and HTTP_PROXY of environment say different things'),
    ]);
    // That nobody answers there is told once, and explains nothing of the other settings.
    expect(grave.filter(({ id }) => id.startsWith('PTH'))).toEqual([]);
    expect(grave.filter(({ id, explains }) => id === 'PRX-01' && explains.length > 0)).toHaveLength(1);
  });
});

import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx, bbxOk, startBbx } from '../rigs/bbx.ts';
import { freePort } from '../rigs/farm.ts';
import { startSshd, type Sshd } from '../rigs/sshd.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** Words of a call from the machine of an ssh server, with the key that it lets in. */
function from(sshd: Sshd, more: { key?: string; knownHosts?: string } = {}) {
  const { key = sshd.key, knownHosts = sshd.knownHosts } = more;
  const url = new URL(sshd.url('/'));
  return {
    place: `ssh:${url.username}@${url.hostname}:${url.port}`,
    env: {
      BBX_SSH_COMMAND: `ssh -F /dev/null -i ${key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${knownHosts}`,
    },
  };
}

describe('bbx doctor reach --from', () => {
  it('looks from another machine, where a master proves who it is', async () => {
    await using dir = await tempDir();
    await using sshd = await startSshd(join(dir.path, 'ssh'));
    const { place, env } = from(sshd);
    const at = { cwd: dir.path, env };
    const port = await freePort('::1');
    const args = ['doctor', 'reach', `[::1]:${port}`, '--from', place, '--json'];
    const refused = await bbx(args, at);
    expect(refused.json<DoctorReport>()).toMatchObject({
      vantage: 'worker:::1',
      findings: [
        {
          id: 'PTH-04',
          vantage: 'worker:::1',
          evidence: [{ got: expect.stringContaining('ECONNREFUSED') as string }],
        },
      ],
      verdicts: [{ from: 'worker:::1', verdict: 'unreachable' }],
    });
    expect(refused.code).toBe(1);

    await bbxOk(['create-master', '--listen', `[::1]:${port}`, '--web-listen', 'localhost:0'], at);
    await using master = startBbx(['run', 'master'], at);
    await bbxOk(['status', '--wait', '20s'], at);
    const before = sshd.accepted();
    const good = await bbx(args, at);
    expect(good.json<DoctorReport>()).toMatchObject({
      findings: [],
      verdicts: [{ verdict: 'reachable', rungs: { R4: 'ok' } }],
    });
    expect(good.code).toBe(0);
    expect(sshd.accepted()).toBeGreaterThan(before);
    await master.end();
  });

  it('does with a shell where there is no Python', async () => {
    await using dir = await tempDir();
    await using sshd = await startSshd(join(dir.path, 'ssh'));
    const { place, env } = from(sshd);
    // In the place of ssh: the same shell program, run where python3 is not found.
    const bin = join(dir.path, 'bin');
    await mkdir(bin);
    const ssh = join(bin, 'ssh');
    await writeFile(
      ssh,
      `#!/bin/sh\nsed 's/command -v python3/command -v no-such-python/' | ${env.BBX_SSH_COMMAND} "$@"\n`,
    );
    await chmod(ssh, 0o755);
    const server = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const ask = async (where: number) =>
      (
        await bbx(
          [
            'doctor',
            'reach',
            `127.0.0.1:${where}`,
            '--protocol',
            'tcp',
            '--from',
            place,
            '--json',
            '--report',
            'r.json',
          ],
          {
            cwd: dir.path,
            env: { BBX_SSH_COMMAND: ssh },
          },
        )
      ).json<DoctorReport>();
    expect(await ask(port)).toMatchObject({ verdicts: [{ verdict: 'reachable', rungs: { R2: 'ok' } }] });
    const closed = await freePort('127.0.0.1');
    expect((await ask(closed)).findings).toMatchObject([
      { id: 'PTH-04', evidence: [{ got: expect.stringContaining('ECONNREFUSED') as string }] },
    ]);
    server.close();
  });

  it.each(['an unknown host key', 'a key that is not let in', 'nobody there'])(
    'says in the words of ssh: %s',
    async (why) => {
      await using dir = await tempDir();
      await using sshd = await startSshd(join(dir.path, 'ssh'));
      const { place, env } = from(sshd, {
        ...(why === 'an unknown host key' ? { knownHosts: '/dev/null' } : {}),
        ...(why === 'a key that is not let in' ? { key: sshd.strangersKey } : {}),
      });
      const where = why === 'nobody there' ? `ssh:[::1]:${await freePort('::1')}` : place;
      const ran = await bbx(['doctor', 'reach', `${hostname()}:9989`, '--from', where], {
        cwd: dir.path,
        env,
      });
      const words = {
        'an unknown host key': /Host key verification failed/,
        'a key that is not let in': /Permission denied/,
        'nobody there': /refused/,
      };
      expect(ran.stderr).toMatch(words[why as keyof typeof words]);
      expect(ran.stdout).toBe('');
      expect(ran.code).toBe(3);
    },
  );

  it.each([[['--from', 'socks5://a:1']], [['--from', 'ssh:a', '--via', 'ssh:b']]])(
    'refuses %j',
    async (words) => {
      await using dir = await tempDir();
      const ran = await bbx(['doctor', 'reach', 'a:1', ...words], { cwd: dir.path });
      expect(ran.code).toBe(2);
    },
  );
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { has } from '../rigs/debian.ts';
import { startFarm } from '../rigs/farm.ts';
import { startMicrosocks, startTinyproxy } from '../rigs/proxies.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { startSshd } from '../rigs/sshd.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const want =
  has('microsocks') && has('tinyproxy') && has('sshd') ? undefined : 'no microsocks, tinyproxy or sshd';

const CONFIG = `
workers: { w1: {} }
builders:
  app: { workers: { names: [w1] }, steps: [ { name: work, run: "echo through the hops" } ] }
`;

/** A hop of each kind with a lock on it, where the kind has one, and the environment that opens it. */
const HOPS: Record<
  string,
  (dir: string, open: AsyncDisposableStack) => Promise<[hops: string[], env: Record<string, string>]>
> = {
  'a SOCKS proxy with a password': async (dir, open) => {
    const proxy = open.use(await startMicrosocks({ user: 'farm', password: 'open-sesame' }));
    return [[`socks5://127.0.0.1:${proxy.port}`], await netrc(dir)];
  },
  'an HTTP proxy with a password': async (dir, open) => {
    const proxy = open.use(await startTinyproxy(dir, { user: 'farm', password: 'open-sesame' }));
    return [[`http://127.0.0.1:${proxy.port}`], await netrc(dir)];
  },
  'an ssh host and a SOCKS proxy behind it': async (dir, open) => {
    const sshd = open.use(await startSshd(join(dir, 'sshd')));
    const proxy = open.use(await startMicrosocks());
    const command = `ssh -F /dev/null -i ${sshd.key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${sshd.knownHosts}`;
    return [
      [sshd.url('').replace('ssh://', 'ssh:'), `socks5://127.0.0.1:${proxy.port}`],
      { BBX_SSH_COMMAND: command },
    ];
  },
};

async function netrc(dir: string): Promise<Record<string, string>> {
  const file = join(dir, 'netrc');
  await writeFile(file, 'machine 127.0.0.1 login farm password open-sesame\n', { mode: 0o600 });
  return { NETRC: file };
}

describe.skipIf(skipAloud('workers behind hops', want))('a worker whose way to the master is', () => {
  it.each(Object.entries(HOPS))(
    '%s: attaches, builds, and says what it misses when the hop is gone',
    async (_, prepare) => {
      await using dir = await tempDir();
      await using open = new AsyncDisposableStack();
      const [hops, env] = await prepare(dir.path, open);
      await using farm = await startFarm({
        config: CONFIG,
        workersAt: { env },
        workerFlags: hops.flatMap((hop) => ['--via', hop]),
      });
      const worker = await farm.startWorker('w1');
      await farm.ask('build', 'start', 'app');
      expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
      expect((await farm.run('build', 'log', 'app/1', '--raw')).stdout).toContain('through the hops');
      await open.disposeAsync();
      await expect
        .poll(async () => (await farm.client.call('worker', { params: { worker: 'w1' } })).connected)
        .toBe(false);
      // The doctor's word on the hop, not on a way that the worker does not go.
      await expect.poll(() => worker.output()).toMatch(/PTH-04: Nothing listens on port \d+|PRX-06: ssh:/);
      expect(worker.output()).not.toContain(
        `PTH-04: Nothing listens on port ${farm.address.split(':').at(-1)} `,
      );
      expect(worker.output()).not.toContain('open-sesame');
    },
  );
});

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { skipAloud } from '../rigs/skip-aloud.ts';

/** Runs in a network namespace of its own, with loopback up and one family taken away. */
const WITHOUT = {
  IPv6: 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6',
  IPv4: 'ip address del 127.0.0.1/8 dev lo',
};
const SRC = new URL('../../src/net/', import.meta.url).pathname;
const SCRIPT = `
import { listen } from '${SRC}listen.ts';
import { dial } from '${SRC}dial.ts';
import { parseAddress } from '${SRC}endpoint/address.ts';
import { parseListen } from '${SRC}endpoint/listen-address.ts';
const tell = (value) => console.log(JSON.stringify(value));
for (const text of ['[::]:0', 'localhost:0']) {
  const listener = await listen({ addresses: [parseListen(text)], onConnection: ({ stream }) => stream.destroy() });
  const started = performance.now();
  const { peer, stream } = await dial({ to: parseAddress('localhost:' + listener.port), via: [] });
  tell({ bound: listener.bound, notes: listener.notes, port: listener.port, peer, ms: performance.now() - started });
  stream.destroy();
  await listener.close(0);
}
const failed = await dial({ to: parseAddress('[2001:db8::1]:9989'), via: [] }).catch((error) => error);
tell({ code: failed.code, message: failed.message });
`;

interface Told {
  bound: string[];
  notes: string[];
  port: number;
  peer: string;
  ms: number;
}

function run(missing: keyof typeof WITHOUT): [Told, Told, { code: string; message: string }] {
  const shell = `ip link set lo up && ${WITHOUT[missing]} && exec "$0" --input-type=module -e "$1"`;
  const args = ['-Urn', '--map-root-user', 'sh', '-c', shell, process.execPath, SCRIPT];
  const { stdout, stderr, status } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 30_000 });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown) as ReturnType<typeof run>;
}

const usable =
  spawnSync('unshare', ['-Urn', '--map-root-user', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const want = usable ? undefined : 'no network namespaces can be made here (unshare, ip)';

describe.skipIf(skipAloud('farms of one family', want))('a host with one address family', () => {
  it('without IPv6 listens on IPv4 alone, says so, and is reached at once by name', () => {
    const [everywhere, loopback, failed] = run('IPv6');
    expect(everywhere.bound).toEqual([`0.0.0.0:${everywhere.port}`]);
    expect(everywhere.notes).toEqual(['This host has no IPv6: listening on IPv4 alone for [::]:0']);
    expect(loopback.bound).toEqual([`127.0.0.1:${loopback.port}`]);
    expect(loopback.notes).toEqual(['This host has no ::1: listening on 127.0.0.1 alone for localhost:0']);
    for (const { peer, port, ms } of [everywhere, loopback]) {
      expect(peer).toBe(`127.0.0.1:${port}`);
      expect(ms).toBeLessThan(500);
    }
    expect(failed.message).toContain('EADDRNOTAVAIL (refused by this host itself)');
  });

  it('without IPv4 listens on IPv6 and is reached by name', () => {
    const [everywhere, loopback, failed] = run('IPv4');
    expect(everywhere).toMatchObject({ bound: [`[::]:${everywhere.port}`], notes: [] });
    expect(loopback.bound).toEqual([`[::1]:${loopback.port}`]);
    expect(loopback.notes).toEqual(['This host has no 127.0.0.1: listening on ::1 alone for localhost:0']);
    expect(loopback.peer).toBe(`[::1]:${loopback.port}`);
    expect(failed.message).toContain('ENETUNREACH (refused by this host itself)');
  });
});

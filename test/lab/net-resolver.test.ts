import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { skipAloud } from '../rigs/skip-aloud.ts';

const SRC = new URL('../../src/net/', import.meta.url).pathname;
const SCRIPT = `
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { createSystemResolver } from '${SRC}system-resolver.ts';
// A nameserver that hears everything and says nothing.
const silent = createSocket('udp4');
await new Promise((resolve) => silent.bind(53, '127.0.0.9', resolve));
const timed = async (promise) => {
  const started = performance.now();
  const addresses = await promise;
  return { ms: performance.now() - started, addresses };
};
const resolver = createSystemResolver();
const dead = Array.from({ length: 20 }, (_, n) => resolver.resolve('dead' + n + '.example', 4, { limitMs: 1500 }));
const good = await timed(resolver.resolve('good.example', 4).then(({ addresses }) => addresses));
const answers = await Promise.all(dead);
// Those twenty still hang in their helper; its place is taken by another.
const later = await timed(resolver.resolve('good.example', 4).then(({ addresses }) => addresses));
// What Node itself makes of the same: two hanging lookups hold up every other one.
for (let n = 0; n < 4; n += 1) lookup('dead' + n + '.example', { family: 4 }).catch(() => undefined);
const plain = await Promise.race([
  timed(lookup('good.example', { family: 4 }).then(({ address }) => [address])),
  new Promise((resolve) => setTimeout(() => resolve({ ms: Infinity }), 1500)),
]);
console.log(JSON.stringify({ good, later, errnos: [...new Set(answers.map(({ errno }) => errno))], plain }));
process.kill(process.pid, 'SIGKILL');
`;

const usable =
  spawnSync('unshare', ['-Urnm', '--map-root-user', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const want = usable ? undefined : 'no namespaces can be made here (unshare, ip)';

describe.skipIf(skipAloud('a silent nameserver', want))('lookups while the nameserver is silent', () => {
  it('answer a name of the hosts file at once, behind twenty that hang', () => {
    const dir = mkdtempSync(join(tmpdir(), 'bbx-lab-'));
    try {
      writeFileSync(join(dir, 'resolv.conf'), 'nameserver 127.0.0.9\n');
      writeFileSync(join(dir, 'hosts'), '127.0.0.1 localhost\n192.0.2.10 good.example\n');
      const shell = [
        'ip link set lo up',
        `mount --bind ${dir}/resolv.conf "$(readlink -f /etc/resolv.conf)"`,
        `mount --bind ${dir}/hosts /etc/hosts`,
        'exec "$0" --input-type=module -e "$1"',
      ].join(' && ');
      const args = ['-Urnm', '--map-root-user', 'sh', '-c', shell, process.execPath, SCRIPT];
      const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 60_000 });
      expect(stderr).toBe('');
      const told = JSON.parse(stdout) as {
        good: { ms: number; addresses: string[] };
        later: { ms: number; addresses: string[] };
        errnos: string[];
        plain: { ms: number | null };
      };
      expect(told.good.addresses).toEqual(['192.0.2.10']);
      expect(told.good.ms).toBeLessThan(1_000);
      expect(told.later.addresses).toEqual(['192.0.2.10']);
      expect(told.later.ms).toBeLessThan(1_000);
      expect(told.errnos).toEqual(['silence']);
      // The reason for all this: when this fails, Node has learnt it, and the helper can go.
      expect(told.plain.ms).toBeNull();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

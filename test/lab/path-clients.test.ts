import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import type { ClientKind } from '../../src/diagnostics/simulate.ts';
import { bbx } from '../rigs/bbx.ts';
import { has } from '../rigs/debian.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { DUAL, firstLine, labHost, labHostsAllowed, type LabHost } from './lab-host.ts';

const allowed =
  labHostsAllowed('real programs beside who gets in') &&
  (['nft', 'curl', 'git', 'buildbot'] as const).every(has);
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const PORT = 9989;
const HERE = { 4: '11.0.0.2', 6: '2a00:1::2' };
const DEAD6 = '2a00:2::10';
/** A program that is to wait longer than this by the simulation (127 s for a dead address) is still waiting then. */
const PATIENCE_S = 6;

const NODE = `const s = require('node:net').connect({ host: process.argv[1], port: ${PORT} });
s.on('connect', () => { console.log(s.remoteAddress); process.exit(0); }).on('error', () => process.exit(1));`;
const BBX = `const { dial } = await import(process.argv[2]);
const to = { kind: 'tcp', host: process.argv[1], port: ${PORT} };
const { stream, peer } = await dial({ to, via: [] });
console.log(peer.replace(/:\\d+$/, '').replace(/[[\\]]/g, ''));
stream.destroy();
process.exit(0);`;

/** Prints the address only where git has also got an answer from the repository. */
const GIT = `said=$(GIT_CURL_VERBOSE=1 GIT_TERMINAL_PROMPT=0 git ls-remote "$0" HEAD 2>&1) && echo "$said" |
sed -n 's/.*Connected to [^ ]* (\\([0-9a-f.:]*\\)) port.*/\\1/p' | head -n 1`;

/** The real programs of each kind; each prints the address that it got. */
const PROGRAMS: Record<ClientKind, (host: string) => string[]> & { git: (host: string) => string[] } = {
  bbx: (host) => [process.execPath, '--input-type=module', '-e', BBX, host, file('../../src/net/dial.ts')],
  'node-default': (host) => [process.execPath, '-e', NODE, host],
  'twisted-tcp': (host) => ['/usr/bin/python3', file('connect.py'), 'twisted-tcp', host, String(PORT)],
  'twisted-tls': (host) => ['/usr/bin/python3', file('connect.py'), 'twisted-tls', host, String(PORT)],
  sequential: (host) => ['/usr/bin/python3', file('connect.py'), 'sequential', host, String(PORT)],
  'curl/git': (host) => ['curl', '-s', '-o', '/dev/null', '-w', '%{remote_ip}', `http://${host}:${PORT}/`],
  git: (host) => ['sh', '-c', GIT, `http://${host}:${PORT}/project/.git`],
};
type Program = keyof typeof PROGRAMS;
const kindOf = (program: Program): ClientKind => (program === 'git' ? 'curl/git' : program);

const CASES = [
  { fault: 'nothing', name: 'dual.test', rules: [] },
  { fault: 'a dead AAAA', name: 'dead-six.test', rules: [] },
  { fault: 'AAAA alone', name: 'six.test', rules: [] },
  {
    fault: 'IPv6 refused',
    name: 'dual.test',
    rules: ['meta nfproto ipv6 tcp dport 9989 reject with tcp reset'],
  },
  {
    // The first packet of each connection is lost, and sent again after a second.
    fault: 'slow IPv6',
    name: 'dual.test',
    rules: [
      'meta nfproto ipv6 tcp dport 9989 tcp flags & (syn | ack) == syn ip6 saddr . tcp sport != @seen add @seen { ip6 saddr . tcp sport } drop',
    ],
  },
];

describe.skipIf(!allowed)('what is said of who gets in', () => {
  let host: LabHost;
  let dir: Awaited<ReturnType<typeof tempDir>>;
  beforeAll(async () => {
    host = await labHost({
      setup: [
        ...DUAL,
        // The router is there and drops everything: no answer, and no error either.
        'ip neigh replace 2a00:1::1 lladdr 02:00:00:00:00:01 nud permanent dev v0',
      ],
    });
    const names = {
      'dual.test': { A: [HERE[4]], AAAA: [HERE[6]] },
      'dead-six.test': { A: [HERE[4]], AAAA: [DEAD6] },
      'six.test': { AAAA: [HERE[6]] },
    };
    const spec = { names, listeners: [] };
    await firstLine(host.start(process.execPath, file('lab-servers.ts'), JSON.stringify(spec)));
    dir = await tempDir();
    await gitRepository(join(dir.path, 'project'), { 'a.txt': 'a' });
    const server = [file('git-server.ts'), dir.path, '', '', String(PORT)];
    await firstLine(host.start(process.execPath, ...server));
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  });

  /** Which family a real program got through over; `out`, or `waits` when it is still at it. */
  async function really(program: Program, name: string): Promise<string> {
    const words = PROGRAMS[program](name).map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
    const said = await host.sh(`timeout ${PATIENCE_S} ${words.join(' ')} 2> /dev/null || echo "exit $?"`);
    // timeout(1) ends with 124.
    if (said.includes('exit 124')) return 'waits';
    const address = /^[\da-f.:]+$/im.exec(said.replace(/exit \d+/, ''))?.[0];
    return address === undefined ? 'out' : address.includes(':') ? 'over IPv6' : 'over IPv4';
  }

  function foretold(fate: string): string {
    const [, ms, family] = /^ok (\d+)ms via (\d)$/.exec(fate) ?? [];
    if (family === undefined) return fate.startsWith('fail') ? 'out' : fate;
    return Number(ms) > PATIENCE_S * 1_000 ? 'waits' : `over IPv${family}`;
  }

  it.each(CASES)('is what real programs do with $fault', async ({ name, rules }) => {
    await host.sh(
      'export PATH="$PATH:/usr/sbin:/sbin"',
      'nft flush ruleset; nft add table inet lab',
      "nft add set inet lab seen '{ type ipv6_addr . inet_service; flags dynamic,timeout; timeout 20s; }'",
      "nft add chain inet lab way '{ type filter hook input priority 0; }'",
      ...rules.map((rule) => `nft add rule inet lab way '${rule}'`),
    );
    const ran = await bbx(['doctor', 'reach', `${name}:${PORT}`, '--protocol', 'tcp', '--json'], {
      cwd: '/',
      within: host.within,
    });
    const clients = ran.json<DoctorReport>().verdicts[0]?.clients ?? {};
    const programs = Object.keys(PROGRAMS) as Program[];
    const real = await Promise.all(programs.map(async (one) => [one, await really(one, name)] as const));
    const told = programs.map((one) => [one, foretold(clients[kindOf(one)] ?? 'nothing')]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(real));
  });
});

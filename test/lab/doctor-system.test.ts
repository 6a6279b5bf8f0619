import { describe, expect, it } from 'vitest';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { inLab, namespacesAllowed, type LabCase } from './namespace.ts';

const SSH = 'SSH-2.0-lab\r\n';
const dual = {
  names: { 'dual.test': { A: ['11.0.0.2'], AAAA: ['2a00:1::2'] } },
  listeners: [{ host: '::', port: 9989, says: SSH }],
};
const reachDual = ['reach', 'dual.test:9989', '--protocol', 'tcp'];
const file = (path: string, text: string) => [
  `printf '%s\\n' '${text}' > "$LAB/file"`,
  `mount --bind "$LAB/file" ${path}`,
];
/** A program of its own in the lab, once port 9989 (0x2705) is in the kernel's table. */
const program = (script: string) => [
  `"$NODE" -e '${script}' &`,
  'for i in $(seq 200); do grep -q ":2705 .* 0A " /proc/net/tcp /proc/net/tcp6 && break; sleep 0.05; done',
];

/** A fault of the host's own settings, and the finding that must stand alone. */
const FAULTS: [title: string, given: LabCase, root: string, code: number][] = [
  [
    'an address of nobody that can be bound',
    { setup: ['sysctl -qw net.ipv4.ip_nonlocal_bind=1'], doctor: ['listen', '192.0.2.9:9989'] },
    'HST-07',
    0,
  ],
  [
    'an IPv4 literal on a host with DNS64 alone',
    {
      setup: ['ip -4 addr flush dev v0'],
      servers: { names: { 'ipv4only.arpa': { AAAA: ['64:ff9b::c000:aa', '64:ff9b::c000:ab'] } } },
      doctor: ['reach', '11.0.5.1:9989', '--protocol', 'tcp'],
    },
    'HST-09',
    1,
  ],
  [
    'DNS64 whose translator is away',
    {
      setup: ['ip -4 addr flush dev v0'],
      servers: {
        names: {
          'ipv4only.arpa': { AAAA: ['64:ff9b::c000:aa'] },
          'four.test': { A: ['11.0.5.1'], AAAA: ['64:ff9b::b00:501'] },
        },
      },
      doctor: ['reach', 'four.test:9989', '--protocol', 'tcp'],
    },
    'HST-09',
    1,
  ],
  [
    'an MTU that takes IPv6 off the link',
    {
      setup: ['ip link set v0 mtu 1000'],
      doctor: ['reach', '[2a00:2::10]:9989', '--protocol', 'tcp'],
    },
    'HST-11',
    1,
  ],
  [
    'gai.conf with IPv4 first, where IPv6 is meant',
    {
      setup: file('/etc/gai.conf', 'precedence ::ffff:0:0/96  100'),
      servers: dual,
      doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    },
    'HST-12',
    0,
  ],
  [
    'a program that has ::1 of localhost alone',
    {
      servers: { listeners: [{ host: '::1', port: 9989, says: SSH }] },
      doctor: ['listen', 'localhost:9989'],
    },
    'LSN-09',
    0,
  ],
  [
    'a program that is stopped and accepts nothing',
    {
      setup: program(
        'require("net").createServer().listen(9989, "::", () => process.kill(process.pid, "SIGSTOP"))',
      ),
      doctor: ['ipv6', '--listen', '[::]:9989'],
    },
    'LSN-11',
    1,
  ],
  [
    'a bare name and a search list',
    {
      setup: ['echo "search corp.test" >> "$LAB/resolv.conf"'],
      servers: { names: { 'ci.corp.test': { A: ['11.0.0.2'] } } },
      doctor: ['dns', 'ci'],
    },
    'DNS-09',
    0,
  ],
  [
    'nsswitch.conf without dns',
    { setup: file('/etc/nsswitch.conf', 'hosts: files'), servers: dual, doctor: reachDual },
    'DNS-10',
    1,
  ],
  [
    'a dead first nameserver',
    {
      setup: [
        'printf "nameserver 11.0.0.77\\nnameserver 127.0.0.1\\noptions timeout:1 attempts:1\\n" > "$LAB/resolv.conf"',
      ],
      servers: dual,
      doctor: ['dns', 'dual.test'],
    },
    'DNS-11',
    0,
  ],
  [
    'an empty resolv.conf',
    { setup: ['ip addr del 127.0.0.1/8 dev lo', ': > "$LAB/resolv.conf"'], doctor: ['dns', 'dual.test'] },
    'DNS-13',
    1,
  ],
  [
    'a nameserver in brackets',
    { setup: ['echo "nameserver [2a00:1::53]" >> "$LAB/resolv.conf"'], servers: dual, doctor: reachDual },
    'DNS-13',
    0,
  ],
  ['a shell with few files', { setup: ['ulimit -n 25'], doctor: ['host'] }, 'LIM-01', 1],
  [
    'a shell with few files, and a target',
    { servers: dual, setup: ['ulimit -n 25'], doctor: reachDual },
    'LIM-01',
    1,
  ],
  [
    'no port left toward a host',
    {
      setup: [
        'sysctl -qw net.ipv4.ip_local_port_range="40000 40003"',
        ...program(
          'const net = require("net"); net.createServer(() => undefined).listen(9989, "::", () => { for (let at = 0; at < 4; at += 1) net.connect(9989, "11.0.0.2").on("error", () => undefined); })',
        ),
        'for i in $(seq 200); do [ $(grep -c ":2705 01 " /proc/net/tcp) -ge 4 ] && break; sleep 0.05; done',
      ],
      doctor: ['reach', '11.0.0.2:9989', '--protocol', 'tcp'],
    },
    'LIM-02',
    1,
  ],
];

const CONTROLS: [title: string, given: LabCase][] = [
  ['a host by itself', { doctor: ['host', '--strict'] }],
  [
    'gai.conf with IPv4 first, where nobody insists',
    {
      setup: file('/etc/gai.conf', 'precedence ::ffff:0:0/96  100'),
      servers: dual,
      doctor: [...reachDual, '--strict'],
    },
  ],
  [
    'a whole name beside a search list',
    {
      setup: ['echo "search corp.test" >> "$LAB/resolv.conf"'],
      servers: dual,
      doctor: ['dns', 'dual.test', '--strict'],
    },
  ],
  ['a host without nameserver, asked nothing', { setup: [': > "$LAB/resolv.conf"'], doctor: ['--strict'] }],
];

const want = namespacesAllowed() ? undefined : 'this host lets nobody make network namespaces';

describe.skipIf(skipAloud("the host's settings in network namespaces", want))('settings of a host', () => {
  it.concurrent.each(FAULTS)('finds the root of %s', async (_title, given, root, code) => {
    const { report, code: got } = await inLab(given);
    const grave = report.findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map(({ id }) => id)).toEqual([root]);
    expect(got).toBe(code);
  });

  it.concurrent.each(CONTROLS)('is silent about %s', async (_title, given) => {
    const { report, code } = await inLab(given);
    expect(report.findings.filter(({ status }) => status !== 'info')).toEqual([]);
    expect(code).toBe(0);
  });
});

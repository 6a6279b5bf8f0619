import { describe, expect, it } from 'vitest';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { inLab, namespacesAllowed, type LabCase } from './namespace.ts';

const SSH = 'SSH-2.0-lab\r\n';
const V6_ELSEWHERE = '2a00:2::10';
const listening = { host: '::', port: 9989, says: SSH };

/** A fault of the host or the network, and the finding that must stand first. */
const FAULTS: [title: string, given: LabCase, root: string, code: number][] = [
  [
    'IPv6 switched off',
    { setup: ['sysctl -qw net.ipv6.conf.all.disable_ipv6=1'], doctor: ['ipv6'] },
    'HST-01',
    1,
  ],
  [
    'IPv6 switched off, and a name with AAAA alone',
    {
      setup: ['sysctl -qw net.ipv6.conf.all.disable_ipv6=1'],
      servers: { names: { 'six.test': { AAAA: [V6_ELSEWHERE] } } },
      doctor: ['reach', 'six.test:9989', '--protocol', 'tcp'],
    },
    'HST-01',
    1,
  ],
  [
    'a host with IPv6 alone, and a name with A alone',
    {
      setup: ['ip addr flush dev v0 scope global', 'ip -6 addr add 2a00:1::2/64 dev v0 nodad'],
      servers: { names: { 'four.test': { A: ['11.0.5.1'] } } },
      doctor: ['reach', 'four.test:9989', '--protocol', 'tcp'],
    },
    'HST-08',
    1,
  ],
  [
    'no IPv6 default route, and a literal',
    { setup: ['ip -6 route del default'], doctor: ['reach', `[${V6_ELSEWHERE}]:9989`, '--protocol', 'tcp'] },
    'HST-03',
    1,
  ],
  [
    'no IPv6 default route, and a dual name',
    {
      setup: ['ip -6 route del default'],
      servers: { names: { 'dual.test': { A: ['11.0.0.2'], AAAA: [V6_ELSEWHERE] } }, listeners: [listening] },
      doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    },
    'HST-03',
    1,
  ],
  [
    'a dead AAAA beside a good A',
    {
      servers: { names: { 'dual.test': { A: ['11.0.0.2'], AAAA: [V6_ELSEWHERE] } }, listeners: [listening] },
      doctor: ['reach', 'dual.test:9989', '--protocol', 'tcp'],
    },
    'PTH-02',
    0,
  ],
  [
    'no address answers',
    {
      servers: { names: { 'dead.test': { A: ['11.0.5.1'], AAAA: [V6_ELSEWHERE] } } },
      doctor: ['reach', 'dead.test:9989', '--protocol', 'tcp'],
    },
    'PTH-01',
    1,
  ],
  [
    'a prohibit route',
    { setup: ['ip route add prohibit 11.0.5.0/24'], doctor: ['reach', '11.0.5.1:9989', '--protocol', 'tcp'] },
    'PTH-04',
    1,
  ],
  [
    'bindv6only and a listener that follows it',
    {
      setup: ['sysctl -qw net.ipv6.bindv6only=1'],
      servers: { listeners: [{ ...listening, ipv6Only: true }] },
      doctor: ['listen', '[::]:9989'],
    },
    'HST-06',
    1,
  ],
  [
    'an address that another host has (DAD failed)',
    {
      setup: [
        'unshare -n sleep 60 & far=$!',
        'until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done',
        'ip link set v1 netns $far',
        'nsenter -t $far -n sh -c "ip link set v1 up; ip -6 addr add 2a00:1::9/64 dev v1 nodad"',
        'sysctl -qw net.ipv6.conf.v0.accept_dad=1',
        'for i in $(seq 100); do ip -6 addr show dev v0 scope link | grep -q tentative || break; sleep 0.05; done',
        'ip -6 addr add 2a00:1::9/64 dev v0',
        'for i in $(seq 100); do ip -6 addr show dev v0 | grep -q dadfailed && break; sleep 0.05; done',
      ],
      doctor: ['listen', '[2a00:1::9]:9989'],
    },
    'HST-02',
    1,
  ],
  [
    'a hosts file that overrides DNS',
    {
      hosts: '11.0.0.2 master.test',
      servers: { names: { 'master.test': { A: ['11.0.0.7'] } }, listeners: [listening] },
      doctor: ['reach', 'master.test:9989', '--protocol', 'tcp'],
    },
    'DNS-07',
    0,
  ],
  [
    'AAAA answered SERVFAIL',
    {
      servers: { names: { 'master.test': { A: ['11.0.0.2'], AAAA: 'SERVFAIL' } }, listeners: [listening] },
      doctor: ['reach', 'master.test:9989', '--protocol', 'tcp'],
    },
    'DNS-03',
    0,
  ],
  ['an address of another host to listen on', { doctor: ['listen', '11.0.0.99:9989'] }, 'LSN-06', 1],
];

const dual = { names: { 'dual.test': { A: ['11.0.0.2'], AAAA: ['2a00:1::2'] } }, listeners: [listening] };
/** Nothing is wrong: nothing at warn or error, exit 0 also with --strict. */
const CONTROLS: [title: string, given: LabCase][] = [
  ['a dual-stack host by itself', { doctor: ['--strict'] }],
  [
    'a dual-stack target',
    { servers: dual, doctor: ['reach', 'dual.test:9989', '--protocol', 'tcp', '--strict'] },
  ],
  [
    'a dual-stack target under ipv6',
    { servers: dual, doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp', '--strict'] },
  ],
  [
    'a host without IPv6, and nothing that needs it',
    { setup: ['sysctl -qw net.ipv6.conf.all.disable_ipv6=1'], doctor: ['--strict'] },
  ],
  [
    'a host without IPv6 and a dual name',
    {
      setup: ['sysctl -qw net.ipv6.conf.all.disable_ipv6=1'],
      servers: { ...dual, listeners: [{ ...listening, host: '0.0.0.0' }] },
      doctor: ['reach', 'dual.test:9989', '--protocol', 'tcp', '--strict'],
    },
  ],
  [
    'a host without any default route',
    { setup: ['ip route del default', 'ip -6 route del default'], doctor: ['--strict'] },
  ],
  [
    'bindv6only without anything that suffers',
    {
      setup: ['sysctl -qw net.ipv6.bindv6only=1'],
      servers: { listeners: [listening] },
      doctor: ['ipv6', '--listen', '[::]:9989', '--strict'],
    },
  ],
];

const want = namespacesAllowed() ? undefined : 'this host lets nobody make network namespaces';

describe.skipIf(skipAloud('the doctor in network namespaces', want))('network namespaces', () => {
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

import { NO_IPV6 } from '../stage/plans.ts';
import type { LabCase } from './case.ts';

const M6 = '2a00:2::2';
const W6 = '2a00:1::2';
const listening = { M: [{ host: '::', port: 9989 }] };
const own = (host: string, ipv6Only = false) => ({ W: [{ host, port: 9989, ipv6Only }] });
const reach = (target: string) => ['reach', target, '--protocol', 'tcp'];
const noRoute = { W: ['ip -6 route del default'] };
const far = `[${M6}]:9989`;

/** The host itself, and what listens on it. */
export const HOSTS: readonly LabCase[] = [
  {
    id: 'F02',
    title: 'a name with AAAA alone, on a host without IPv6',
    recipe: { setup: { W: [NO_IPV6] }, listeners: listening },
    doctor: reach('six.test:9989'),
    root: ['HST-01'],
    target: 'six.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'F03',
    title: 'an IPv6 literal, with IPv6 off',
    recipe: { setup: { W: [NO_IPV6] }, listeners: listening },
    doctor: reach(far),
    root: ['HST-01'],
    target: far,
    verdict: 'unreachable',
  },
  {
    id: 'F04',
    title: '[::] is bound with IPv6 off',
    recipe: { setup: { W: [NO_IPV6] }, listeners: own('::') },
    doctor: ['ipv6', '--listen', '[::]:9989'],
    root: ['HST-01'],
    also: ['LSN-02'],
  },
  {
    id: 'F05',
    title: '[::1] is to be bound with IPv6 off',
    recipe: { setup: { W: [NO_IPV6] } },
    doctor: ['listen', '[::1]:9989'],
    root: ['HST-01'],
    also: ['LSN-06'],
  },
  {
    id: 'F06',
    title: 'a listener on IPv4 alone, and a name with AAAA alone; at the listener',
    recipe: { names: { 'self.test': { AAAA: [W6] } }, listeners: own('0.0.0.0') },
    doctor: ['ipv6', 'self.test:9989', '--listen', '0.0.0.0:9989', '--protocol', 'tcp'],
    root: ['LSN-02'],
    also: ['PTH-04', 'PTH-01', 'DNS-05'],
    target: 'self.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'F06w',
    title: 'a listener on IPv4 alone, and a name with AAAA alone; from the worker',
    recipe: { listeners: { M: [{ host: '0.0.0.0', port: 9989 }] } },
    doctor: reach('six.test:9989'),
    root: ['PTH-04'],
    also: ['PTH-01', 'DNS-05'],
    target: 'six.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'F07',
    title: 'two programs on one port, one a family; at the listeners',
    recipe: {
      listeners: {
        W: [
          { host: '0.0.0.0', port: 9989, does: { says: 'ssh' } },
          { host: '::', port: 9989, ipv6Only: true, does: { says: 'smtp' } },
        ],
      },
    },
    doctor: ['listen', '[::]:9989'],
    root: ['LSN-07'],
    // Whether a master could start there is asked as well, and it could not.
    also: ['LSN-03', 'LSN-04'],
  },
  {
    id: 'F08',
    title: '[::] takes IPv6 alone',
    recipe: { listeners: own('::', true) },
    doctor: ['listen', '[::]:9989'],
    root: ['LSN-03'],
    also: ['LSN-02'],
  },
  {
    id: 'F09',
    title: 'bindv6only=1, and nothing suffers from it',
    recipe: { setup: { W: ['sysctl -qw net.ipv6.bindv6only=1'] }, listeners: own('::') },
    doctor: ['ipv6', '--listen', '[::]:9989'],
    root: [],
  },
  {
    id: 'F10',
    title: 'bindv6only=1, and a listener that follows it',
    recipe: { setup: { W: ['sysctl -qw net.ipv6.bindv6only=1'] }, listeners: own('::', true) },
    doctor: ['listen', '[::]:9989'],
    root: ['HST-06'],
    also: ['LSN-03', 'LSN-02'],
  },
  {
    id: 'F25',
    title: 'something listens on localhost, which is [::1] first here',
    recipe: { etc: { hosts: '::1 localhost ip6-localhost' }, listeners: own('::1') },
    doctor: ['listen', 'localhost:9989'],
    root: ['LSN-09'],
    also: ['LSN-02', 'LSN-01'],
  },
  {
    id: 'F31',
    title: 'no IPv6 default route, and a literal',
    recipe: { setup: noRoute, listeners: listening },
    doctor: reach(far),
    root: ['HST-03'],
    also: ['PTH-01', 'PTH-04'],
    target: far,
    verdict: 'unreachable',
  },
  {
    id: 'F31d',
    title: 'no IPv6 default route, and a dual name where IPv6 is meant',
    recipe: { setup: noRoute, listeners: listening },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-03'],
    also: ['PTH-02'],
    target: 'dual.test:9989',
  },
  ...(['unreachable', 'prohibit', 'blackhole'] as const).map((kind): LabCase => ({
    id: `F32${kind[0]}`,
    title: `a route of kind ${kind} to the master`,
    recipe: { setup: { W: [`ip -6 route add ${kind} 2a00:2::/64`] }, listeners: listening },
    doctor: reach(far),
    root: ['HST-03', 'PTH-04'],
    also: ['PTH-01'],
    target: far,
    verdict: 'unreachable',
  })),
  {
    id: 'F34',
    title: 'a link-local address without a zone',
    recipe: {},
    doctor: reach('[fe80::1]:9989'),
    root: ['PTH-08'],
    also: ['CFG-01'],
    target: '[fe80::1]:9989',
    verdict: 'unreachable',
  },
  {
    id: 'F34u',
    title: 'a link-local address with the zone of no interface',
    recipe: {},
    doctor: reach('[fe80::1%nope0]:9989'),
    root: ['PTH-08'],
    target: '[fe80::1%nope0]:9989',
    verdict: 'unreachable',
  },
  {
    id: 'F34z',
    title: 'a link-local address with its zone',
    recipe: {
      setup: { R: ['ip -6 addr add fe80::1/64 dev rw nodad'] },
      listeners: { R: [{ host: '::', port: 9989 }] },
    },
    doctor: reach('[fe80::1%wr]:9989'),
    root: [],
    target: '[fe80::1%wr]:9989',
    verdict: 'reachable',
  },
  {
    id: 'F39',
    title: "a master's port is taken by another program",
    recipe: {
      listeners: own('127.0.0.1'),
      files: {
        'master.yaml':
          'listen: { workers: "[::]:9989", web: "localhost:8010" }\nstore: sqlite:state.sqlite\n',
      },
    },
    doctor: ['listen'],
    root: ['LSN-04'],
  },
  {
    id: 'F40',
    title: 'an address of another host to listen on',
    recipe: {},
    doctor: ['listen', '[2a00:1::99]:9989'],
    root: ['LSN-06'],
  },
  {
    id: 'F41',
    title: 'an address that another host has (duplicate address detection failed)',
    recipe: {
      setup: {
        W: [
          'sysctl -qw net.ipv6.conf.wr.accept_dad=1',
          'for i in $(seq 100); do ip -6 addr show dev wr scope link | grep -q tentative || break; sleep 0.05; done',
          'ip -6 addr add 2a00:1::1/64 dev wr',
          'for i in $(seq 100); do ip -6 addr show dev wr | grep -q dadfailed && break; sleep 0.05; done',
        ],
      },
    },
    doctor: ['listen', '[2a00:1::1]:9989'],
    root: ['HST-02'],
    also: ['LSN-06'],
  },
  {
    id: 'F43',
    title: 'a limit of open files that is too low',
    recipe: { listeners: listening, under: ['prlimit', '--nofile=64'] },
    doctor: ['host'],
    root: ['LIM-01'],
  },
  {
    id: 'F45',
    title: 'a low port, without the privilege',
    recipe: {
      under: ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'],
      setup: { W: ['sysctl -qw net.ipv4.ip_unprivileged_port_start=1024'] },
    },
    doctor: ['listen', '[::]:81'],
    root: ['LSN-05'],
  },
  {
    id: 'F74',
    title: 'a host with IPv6 alone, and a name with A alone',
    recipe: {
      plan: 'v6',
      names: { 'old.test': { A: ['11.0.2.2'] } },
      listeners: listening,
    },
    doctor: reach('old.test:9989'),
    root: ['HST-08'],
    also: ['PTH-01'],
    target: 'old.test:9989',
    verdict: 'unreachable',
  },
];

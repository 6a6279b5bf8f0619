import {
  address,
  BOTH,
  heard,
  host,
  listener,
  name,
  noIpv6,
  ONLY6,
  reply,
  row,
  target,
  tried,
} from './recorded.ts';
import { policy, translator } from './recorded-system.ts';
import {
  dual,
  type Fault,
  local,
  noIpv4,
  open4,
  open6,
  reachable,
  stranded,
  subjects,
  V4,
  v4only,
  V6,
  v6only,
} from './usual.ts';

const withAddress = (more: Parameters<typeof address>[1]) =>
  host({ addresses: [...host().addresses, address('2a00:1::9', more)] });

/** Faults of a host's own addresses, routes and settings. */
export const HOST_FAULTS: Fault[] = [
  [
    'IPv6 is off and a target has IPv6 alone',
    { host: noIpv6, names: [v6only], subjects, attempts: [local('EADDRNOTAVAIL')], sources: stranded },
    ['HST-01'],
    'error',
  ],
  [
    'IPv6 is off and a literal needs it',
    {
      host: noIpv6,
      subjects: [target(`[${V6}]:9989`)],
      attempts: [local('EADDRNOTAVAIL')],
      sources: stranded,
    },
    ['HST-01'],
    'error',
  ],
  [
    'IPv6 is off and the configuration means it',
    { host: noIpv6, subjects: [listener()], intent: BOTH },
    ['HST-01'],
    'error',
  ],
  [
    'a listener on ::1 without IPv6',
    {
      host: noIpv6,
      subjects: [listener('[::1]:9989', { state: 'stopped' })],
      listener: heard({ rows: [], attempts: [], binds: [{ address: '::1', errno: 'EADDRNOTAVAIL' }] }),
    },
    ['HST-01'],
    'error',
  ],
  [
    'another host has the address that is bound',
    {
      host: withAddress({ flags: ['dadfailed'] }),
      subjects: [listener('[2a00:1::9]:9989', { state: 'stopped' })],
      listener: heard({ rows: [], attempts: [], binds: [{ address: '2a00:1::9', errno: 'EADDRNOTAVAIL' }] }),
    },
    ['HST-02'],
    'error',
  ],
  [
    'a bound address is deprecated',
    {
      host: withAddress({ flags: ['deprecated'] }),
      subjects: [listener('[2a00:1::9]:9989')],
      listener: heard({ rows: [row('2a00:1::9')], attempts: [tried('2a00:1::9', 'connected')] }),
    },
    ['HST-02'],
    'warn',
  ],
  [
    'no IPv6 address and a target with IPv6 alone',
    {
      host: host({
        addresses: [address(V4), address('::1', { kind: 'loopback' })],
        defaultRoute: { 4: 'eth0', 6: null },
      }),
      subjects: [target(`[${V6}]:9989`)],
      attempts: [local('ENETUNREACH')],
      sources: stranded,
    },
    ['HST-02'],
    'error',
  ],
  [
    'no IPv6 default route',
    {
      host: host({ defaultRoute: { 4: 'eth0', 6: null } }),
      names: [dual],
      subjects,
      attempts: [local('ENETUNREACH'), open4],
      sources: stranded,
    },
    ['HST-03'],
    'warn',
  ],
  [
    'no IPv6 default route, and a literal',
    {
      host: host({ defaultRoute: { 4: 'eth0', 6: null } }),
      subjects: [target(`[${V6}]:9989`)],
      attempts: [local('ENETUNREACH')],
      sources: stranded,
    },
    ['HST-03'],
    'error',
  ],
  [
    'a local source toward a global target',
    {
      names: [dual],
      subjects,
      attempts: [open6, open4],
      sources: [{ target: V6, family: 6, source: 'fd00::2', errno: null }],
    },
    ['HST-04'],
    'warn',
  ],
  [
    'IPv6 off on the one interface that is needed',
    {
      host: host({
        disableIpv6: { all: false, eth0: true },
        addresses: [address(V4), address('::1', { kind: 'loopback' })],
      }),
      subjects: [target(`[${V6}]:9989`)],
      attempts: [local('ENETUNREACH')],
      sources: stranded,
    },
    ['HST-05'],
    'error',
  ],
  [
    'IPv6 off on the one interface that leads out, and IPv6 is insisted on',
    {
      host: host({
        disableIpv6: { all: false, eth0: true },
        addresses: [address('11.0.0.2'), address('::1', { kind: 'loopback', interface: 'lo' })],
        defaultRoute: { 4: 'eth0', 6: null },
      }),
      names: [dual],
      subjects,
      attempts: [local('ENETUNREACH'), open4],
      sources: stranded,
      intent: BOTH,
    },
    ['HST-05'],
    'error',
  ],
  [
    'bindv6only shuts IPv4 out of [::]',
    {
      host: host({ bindv6only: true }),
      subjects: [listener()],
      listener: heard({ attempts: [tried('127.0.0.1', 'ECONNREFUSED'), tried('::1', 'connected')] }),
    },
    ['HST-06'],
    'error',
  ],
  [
    'bindv6only and an inherited socket',
    { host: host({ bindv6only: true, inheritedSockets: true }), subjects: [] },
    ['HST-06'],
    'warn',
  ],
  [
    'no IPv4 and a target with IPv4 alone',
    {
      host: host({ addresses: [address('2a00:1::2')] }),
      names: [v4only],
      subjects,
      attempts: [tried(V4, 'ENETUNREACH', { local: true })],
    },
    ['HST-08'],
    'error',
  ],
  [
    'a local source address to a global target, which gets no answers',
    {
      names: [dual],
      subjects,
      attempts: [tried(V6, 'silent'), open4],
      sources: [{ target: V6, family: 6, source: 'fd00::2', errno: null }],
    },
    ['HST-04'],
    'warn',
  ],
  [
    'a foreign address that can be bound all the same',
    {
      host: host({ nonlocalBind: { 4: true, 6: false } }),
      subjects: [listener('192.0.2.9:9989', { state: 'stopped' })],
      listener: heard({ rows: [], attempts: [], binds: [{ address: '192.0.2.9', errno: null }] }),
    },
    ['HST-07'],
    'warn',
  ],
  [
    'an IPv4 literal behind NAT64',
    {
      host: noIpv4,
      subjects: [target(`${V4}:9989`)],
      attempts: [tried(V4, 'ENETUNREACH', { local: true })],
      system: { nat64: translator },
    },
    ['HST-09'],
    'error',
  ],
  [
    'DNS64 without a NAT64 that works',
    {
      host: noIpv4,
      names: [name('ci.example', reply('answer', [V4]), reply('answer', ['64:ff9b::b00:50a']))],
      subjects,
      attempts: [tried('64:ff9b::b00:50a', 'silent'), tried(V4, 'ENETUNREACH', { local: true })],
      system: { nat64: translator },
    },
    ['HST-09'],
    'error',
  ],
  [
    'an MTU that is too small for IPv6',
    {
      host: host({
        addresses: [address('11.0.0.2'), address('::1', { kind: 'loopback' })],
        mtus: { eth0: 1_000 },
        defaultRoute: { 4: 'eth0', 6: null },
      }),
      subjects: [target(`[${V6}]:9989`)],
      attempts: [tried(V6, 'ENETUNREACH', { local: true })],
      sources: [{ target: V6, family: 6, source: null, errno: 'ENETUNREACH' }],
    },
    ['HST-11'],
    'error',
  ],
  [
    'gai.conf with IPv4 first where IPv6 is meant',
    {
      ...reachable,
      names: [name('ci.example', reply('nodata'), reply('answer', [V6]))],
      attempts: [open6],
      intent: ONLY6,
      system: {
        policy: policy({ gai: [{ line: 3, text: 'precedence ::ffff:0:0/96 100' }], prefersIpv4: true }),
      },
    },
    ['HST-12'],
    'warn',
  ],
];

import { AUTO } from '../../../src/diagnostics/intent.ts';
import {
  address,
  AT,
  type Case,
  heard,
  host,
  listener,
  literal,
  name,
  noIpv6,
  ONLY4,
  ONLY6,
  program,
  reply,
  row,
  target,
  tried,
} from './recorded.ts';
import { policy, resolver, translator } from './recorded-system.ts';
import {
  dual,
  inUnit,
  local,
  named,
  noIpv4,
  open4,
  open6,
  reachable,
  servers,
  stranded,
  subjects,
  V4,
  v4only,
  V6,
  v6only,
} from './usual.ts';

/** Nothing is wrong here, and so nothing may be said at warn or error. */
export const CONTROLS: [title: string, given: Case][] = [
  [
    'a name with AAAA alone, on a host with IPv6 alone',
    {
      host: host({ addresses: [address('2a00:1::2')], defaultRoute: { 4: null, 6: 'eth0 via fe80::1' } }),
      names: [v6only],
      subjects,
      attempts: [open6],
    },
  ],
  [
    'a trial bind that found no port left, which says nothing of IPv6',
    { host: host({ loopback6: 'EADDRINUSE' }), names: [dual], subjects, attempts: [open6, open4] },
  ],
  ['a healthy dual-stack target', { names: [dual], subjects, attempts: [open6, open4] }],
  [
    'connections that were slow once, as on a busy host: no address is dead',
    {
      names: [dual],
      subjects,
      attempts: [tried(V6, 'connected', { ms: 1_900 }), tried(V4, 'connected', { ms: 900 })],
      handshakes: [
        { address: V6, family: 6, attempts: [1_900, 3].map((ms) => tried(V6, 'connected', { ms })) },
        { address: V4, family: 4, attempts: [900, 3].map((ms) => tried(V4, 'connected', { ms })) },
      ],
    },
  ],
  [
    'a healthy dual-stack target, under doctor ipv6',
    { names: [dual], subjects, attempts: [open6, open4], topic: 'ipv6', intent: { ...AUTO, insists: [6] } },
  ],
  [
    'an IPv4 plan on a host without IPv6',
    { host: noIpv6, names: [v4only], subjects, attempts: [open4], intent: ONLY4 },
  ],
  [
    'a host without IPv6 and nothing that needs it',
    { host: noIpv6, names: [v4only], subjects, attempts: [open4] },
  ],
  [
    'a dual name seen from a host without IPv6',
    { host: noIpv6, names: [dual], subjects, attempts: [local('EADDRNOTAVAIL'), open4], sources: stranded },
  ],
  ['an IPv6 plan with AAAA alone', { names: [v6only], subjects, attempts: [open6], intent: ONLY6 }],
  ['a master that runs on [::]', { subjects: [listener()] }],
  [
    'a master that does not run',
    {
      subjects: [listener('[::]:9989', { state: 'stopped' })],
      listener: heard({ rows: [], attempts: [], binds: [{ address: '::', errno: null }] }),
    },
  ],
  [
    'a web port on localhost',
    {
      subjects: [listener('localhost:8010', { plane: 'web' })],
      listener: heard({ rows: [row('::1'), row('127.0.0.1', '2')] }),
    },
  ],
  [
    'a loopback farm on a host without IPv6',
    {
      host: noIpv6,
      subjects: [listener('localhost:9989', { reach: ['localhost:9989'] })],
      listener: heard({
        rows: [row('127.0.0.1')],
        attempts: [tried('127.0.0.1', 'connected'), tried('::1', 'EADDRNOTAVAIL', { local: true })],
      }),
    },
  ],
  [
    'a master that runs on [::] of a host without any IPv4 address',
    {
      host: host({ addresses: [address('::1', { kind: 'loopback', interface: 'lo' })] }),
      subjects: [listener()],
      listener: heard({
        attempts: [tried('127.0.0.1', 'ENETUNREACH', { local: true }), tried('::1', 'connected')],
      }),
    },
  ],
  [
    'a host without IPv6 route where nothing needs one',
    { host: host({ defaultRoute: { 4: 'eth0', 6: null } }), names: [v4only], subjects, attempts: [open4] },
  ],
  [
    'a worker whose master beside it does not run',
    {
      subjects: [target('localhost:9989', { stopped: 'the master does not run' })],
      names: [
        {
          ...literal('localhost'),
          literal: null,
          localhost: true,
          lookup: { addresses: ['::1', '127.0.0.1'], errno: null, ms: 0 },
        },
      ],
    },
  ],
  [
    'a name that only the hosts file has',
    {
      names: [
        name('ci.example', reply('nxdomain'), reply('nxdomain'), {
          hosts: [V4],
          lookup: { addresses: [V4], errno: null, ms: 0 },
        }),
      ],
      subjects,
      attempts: [open4],
    },
  ],
  [
    'the own name on 127.0.1.1 with a listener on [::]',
    {
      names: [
        name('here', reply('nxdomain'), reply('nxdomain'), {
          hosts: ['127.0.1.1'],
          ownName: true,
          lookup: { addresses: ['127.0.1.1'], errno: null, ms: 0 },
        }),
      ],
      subjects: [target('here:9989'), listener()],
      attempts: [tried('127.0.1.1', 'connected')],
    },
  ],
  ['bindv6only with bbx alone', { host: host({ bindv6only: true }), subjects: [listener()] }],
  [
    'a temporary source address',
    {
      host: host({ addresses: [...host().addresses, address('2a00:1::77', { flags: ['temporary'] })] }),
      names: [dual],
      subjects,
      attempts: [open6, open4],
      sources: [{ target: V6, family: 6, source: '2a00:1::77', errno: null }],
    },
  ],
  ['a program that runs', { subjects: [program()] }],
  ['a master that does not run', { subjects: [program({ role: 'master', running: false })] }],
  [
    'builds as a user that can reach the worker',
    {
      subjects: [program({ runAs: 'ci' })],
      runAs: { at: AT, user: 'ci', state: 'known', closed: null, unseen: null },
    },
  ],
  [
    'a worker that is let in',
    {
      names: [dual],
      subjects: [target('ci.example:9989', { workerDir: '/w', workerName: 'w1', pins: ['sha256:a'] })],
      attempts: [open6, open4],
      authentication: { accepted: true, code: null, message: null, hint: null },
    },
  ],
  ['a unit as it should be', inUnit({ RestrictAddressFamilies: 'AF_UNIX AF_INET AF_INET6 AF_NETLINK' })],
  [
    'a host that may bind foreign addresses, and binds its own',
    { host: host({ nonlocalBind: { 4: true, 6: true } }), subjects: [listener()] },
  ],
  [
    'NAT64 that works',
    {
      host: noIpv4,
      names: [name('ci.example', reply('answer', [V4]), reply('answer', ['64:ff9b::b00:50a']))],
      subjects,
      attempts: [tried('64:ff9b::b00:50a', 'connected'), tried(V4, 'ENETUNREACH', { local: true })],
      system: { nat64: translator },
    },
  ],
  ['a tunnel with a smaller MTU', { ...reachable, host: host({ mtus: { eth0: 1_420 } }) }],
  [
    'a VPN link without IPv6 beside one that has it',
    {
      ...reachable,
      host: host({
        addresses: [...host().addresses, address('10.8.0.2', { interface: 'tun0' })],
        mtus: { eth0: 1_500, tun0: 1_000 },
      }),
    },
  ],
  [
    'gai.conf with IPv4 first where nobody insists',
    {
      ...reachable,
      system: {
        policy: policy({ gai: [{ line: 3, text: 'precedence ::ffff:0:0/96 100' }], prefersIpv4: true }),
      },
    },
  ],
  [
    'a truncated answer that came over TCP',
    named({
      servers: servers(['192.0.2.53', { ...reply('answer', [V4]), cut: true }, reply('answer', [V6])]),
    }),
  ],
  [
    'a host without nameserver, and a literal',
    {
      subjects: [target(`${V4}:9989`)],
      attempts: [open4],
      system: { resolver: resolver('') },
    },
  ],
  [
    'a stub that answers',
    {
      ...named({ servers: servers(['127.0.0.53', reply('answer', [V4]), reply('answer', [V6])]) }),
      system: {
        resolver: resolver(
          'nameserver 127.0.0.53\n',
          'files mymachines myhostname resolve [!UNAVAIL=return] dns',
        ),
      },
    },
  ],
  [
    'a .local name that multicast DNS knows, too',
    {
      names: [
        name('ci.local', reply('nxdomain'), reply('nxdomain'), {
          lookup: { addresses: [V4], errno: null, ms: 9 },
        }),
      ],
      subjects: [target('ci.local:9989')],
      attempts: [open4],
      system: { resolver: resolver(undefined, 'files mdns4_minimal [NOTFOUND=return] dns') },
    },
  ],
  [
    'nameservers that take turns',
    named({
      servers: servers(
        ['192.0.2.53', reply('answer', [V4, '11.0.5.11']), reply('answer', [V6])],
        ['192.0.2.54', reply('answer', [V4]), reply('answer', [V6])],
      ),
    }),
  ],
  [
    'a web port on all addresses of a private network',
    {
      host: host({
        addresses: [address('10.0.0.2', { kind: 'private' }), address('::1', { kind: 'loopback' })],
      }),
      subjects: [listener('[::]:8010', { plane: 'web' })],
      listener: heard({ rows: [row('::', '1', 8010)] }),
    },
  ],
];

/** Checks that only ever state a fact, and a case of each: facts by themselves are no trouble of anybody's. */
export const FACTS: [id: string, given: Case][] = [
  ['HST-10', { host: host({ inside: ['a container (docker)'] }), subjects: [], topic: 'host' }],
  ['DNS-16', { ...reachable, system: { order: { at: AT, addresses: [V4, V6], errno: null, ms: 5 } } }],
  ['LIM-05', { subjects: [], system: { limits: { somaxconn: 128 } } }],
];

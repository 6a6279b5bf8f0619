import type { NameFacts } from '../../../src/diagnostics/facts/names.ts';
import {
  address,
  AT,
  heard,
  host,
  listener,
  name,
  ONLY6,
  program,
  reply,
  row,
  target,
  tried,
  type Case,
} from './recorded.ts';
import { policy, resolver, running, translator } from './recorded-system.ts';

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';
const dual = name('ci.example', reply('answer', [V4]), reply('answer', [V6]));
const open4 = tried(V4, 'connected');
const open6 = tried(V6, 'connected');
const subjects = [target()];
const reachable = { names: [dual], subjects, attempts: [open6, open4] };
const noIpv4 = host({ addresses: [address('::1', { kind: 'loopback' }), address('2a00:1::2')] });
const unfound = { addresses: [], errno: 'EAI_AGAIN', ms: 8 };
const refusing = [tried(V6, 'ECONNREFUSED'), tried(V4, 'connected')];

function servers(
  ...replies: [server: string, a: ReturnType<typeof reply>, aaaa: ReturnType<typeof reply>][]
) {
  return replies.map(([server, A, AAAA]) => ({ server, A, AAAA }));
}

function named(more: Partial<NameFacts>): Case {
  return { ...reachable, names: [{ ...dual, ...more }] };
}

const unit = (properties: Record<string, string>) => ({
  state: 'known' as const,
  unit: 'bbx-master.service',
  properties: {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    NRestarts: '0',
    Result: 'success',
    PrivateNetwork: 'no',
    After: 'network-online.target basic.target',
    ...properties,
  },
  owner: 998,
  runner: { name: 'bbx', uid: 998 },
});
const inUnit = (properties: Record<string, string>, more: Partial<Case> = {}): Case => ({
  subjects: [program({ role: 'master' })],
  ...more,
  system: { service: unit(properties) },
});

/** Faults of the host's settings, of names as this host resolves them, of listeners and limits; in the form of faults.test.ts. */
export const SYSTEM_FAULTS: [title: string, given: Case, roots: string[], verdict: 'error' | 'warn'][] = [
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
  [
    'a program that binds localhost and gets ::1',
    {
      subjects: [listener('localhost:9989', { state: 'given' })],
      listener: heard({
        rows: [row('::1')],
        attempts: [tried('::1', 'connected'), tried('127.0.0.1', 'ECONNREFUSED')],
      }),
    },
    ['LSN-09'],
    'warn',
  ],
  [
    'a web port that is open to the internet',
    {
      subjects: [listener('[::]:8010', { plane: 'web' })],
      listener: heard({ rows: [row('::', '1', 8010)] }),
    },
    ['LSN-10'],
    'warn',
  ],
  [
    'a listener that never accepts',
    { subjects: [listener()], listener: heard({ unaccepted: 2 }) },
    ['LSN-11'],
    'error',
  ],
  [
    'a listener whose queue is full',
    {
      subjects: [listener()],
      listener: heard({ unaccepted: 512, attempts: [tried('127.0.0.1', 'silent'), tried('::1', 'silent')] }),
    },
    ['LSN-11'],
    'error',
  ],
  [
    'a name that works by the search list alone',
    {
      names: [
        name('ci', reply('nxdomain'), reply('nxdomain'), { lookup: { addresses: [V4], errno: null, ms: 4 } }),
      ],
      subjects: [target('ci:9989')],
      attempts: [open4],
      system: { completions: [{ name: 'ci.corp.example', addresses: [V4] }] },
    },
    ['DNS-09'],
    'warn',
  ],
  [
    'a search list that wins over the name itself',
    {
      ...named({ lookup: { addresses: ['11.0.7.7'], errno: null, ms: 4 } }),
      attempts: [tried('11.0.7.7', 'connected')],
      system: { completions: [{ name: 'ci.example.corp.example', addresses: ['11.0.7.7'] }] },
    },
    ['DNS-09'],
    'warn',
  ],
  [
    'nsswitch.conf without dns',
    { ...named({ lookup: unfound }), system: { resolver: resolver(undefined, 'files') } },
    ['DNS-10'],
    'error',
  ],
  [
    'a .local name that multicast DNS keeps to itself',
    {
      names: [name('ci.local', reply('answer', [V4]), reply('nodata'), { lookup: unfound })],
      subjects: [target('ci.local:9989')],
      attempts: [open4],
      system: { resolver: resolver(undefined, 'files mdns4_minimal [NOTFOUND=return] dns') },
    },
    ['DNS-10'],
    'error',
  ],
  [
    'a dead first nameserver',
    named({
      servers: servers(
        ['192.0.2.1', reply('timeout', [], 2_000), reply('timeout', [], 2_000)],
        ['192.0.2.53', reply('answer', [V4]), reply('answer', [V6])],
      ),
      lookup: { addresses: [V6, V4], errno: null, ms: 5_010 },
    }),
    ['DNS-11'],
    'error',
  ],
  [
    'a slow AAAA answer',
    named({
      servers: servers(['192.0.2.53', reply('answer', [V4]), reply('answer', [V6], 3_000)]),
      lookup: { addresses: [V6, V4], errno: null, ms: 3_004 },
    }),
    ['DNS-11'],
    'warn',
  ],
  [
    'a cut answer and no TCP',
    {
      names: [
        {
          ...name(
            'ci.example',
            { ...reply('timeout', [], 3_000), cut: true },
            { ...reply('timeout'), cut: true },
          ),
          lookup: unfound,
        },
      ],
      subjects,
    },
    ['DNS-12'],
    'error',
  ],
  [
    'no nameserver at all',
    {
      names: [name('ci.example', reply('nodata'), reply('nodata'), { servers: [], lookup: unfound })],
      subjects,
      system: { resolver: resolver('') },
    },
    ['DNS-13'],
    'error',
  ],
  [
    'a nameserver in brackets',
    { ...reachable, system: { resolver: resolver('nameserver 192.0.2.53\nnameserver [2a00:1::53]:53\n') } },
    ['DNS-13'],
    'warn',
  ],
  [
    'a link-local nameserver without zone',
    {
      names: [
        name('ci.example', reply('unreachable'), reply('unreachable'), {
          servers: servers(['fe80::53', reply('unreachable'), reply('unreachable')]),
          lookup: unfound,
        }),
      ],
      subjects,
      system: { resolver: resolver('nameserver fe80::53\n') },
    },
    ['DNS-13'],
    'error',
  ],
  [
    "a stub that is another host's",
    {
      names: [
        name('ci.example', reply('unreachable'), reply('unreachable'), {
          servers: servers(['127.0.0.53', reply('unreachable'), reply('unreachable')]),
          lookup: unfound,
        }),
      ],
      subjects,
      system: { resolver: resolver('nameserver 127.0.0.53\n') },
    },
    ['DNS-13'],
    'error',
  ],
  [
    'nameservers of two views',
    named({
      servers: servers(
        ['192.0.2.53', reply('answer', [V4]), reply('answer', [V6])],
        ['192.0.2.54', reply('nxdomain'), reply('nxdomain')],
      ),
    }),
    ['DNS-15'],
    'warn',
  ],
  [
    'a shell with few files',
    { subjects: [], system: { ownProcess: running({ fileLimit: 25 }) } },
    ['LIM-01'],
    'error',
  ],
  [
    'a master that has used its files up',
    {
      subjects: [program({ role: 'master' })],
      system: { process: running({ where: 'the master in .', fileLimit: 1_024, openFiles: 1_000 }) },
    },
    ['LIM-01'],
    'error',
  ],
  [
    'no port left toward a host',
    {
      subjects: [target(`${V4}:9989`)],
      attempts: [tried(V4, 'EADDRNOTAVAIL', { local: true })],
      system: {
        limits: {
          ports: { from: 40_000, to: 40_003, listening: 0, busiest: { remote: `${V4}:9989`, count: 4 } },
        },
      },
    },
    ['LIM-02'],
    'error',
  ],
  [
    'no port left for anybody, since programs listen on all of them',
    {
      subjects: [target(`${V4}:9989`)],
      attempts: [tried(V4, 'EADDRNOTAVAIL', { local: true })],
      system: { limits: { ports: { from: 40_000, to: 40_001, listening: 2, busiest: null } } },
    },
    ['LIM-02'],
    'error',
  ],
  [
    "a packet filter's table that is nearly full",
    { subjects: [], system: { limits: { flows: { count: 62_000, most: 65_536 } } } },
    ['LIM-03'],
    'warn',
  ],
  [
    'a packet filter that forgets soon',
    { subjects: [], system: { limits: { flows: { count: 5, most: 65_536 }, flowSeconds: 30 } } },
    ['LIM-04'],
    'warn',
  ],
  [
    'Node without certificates',
    {
      subjects: [],
      system: { policy: policy({ node: [{ text: 'NODE_TLS_REJECT_UNAUTHORIZED=0', where: 'this shell' }] }) },
    },
    ['LIM-07'],
    'warn',
  ],
  [
    'Node that tries one address alone, and a dead family',
    {
      subjects: [target('ci.example:9989')],
      names: [dual],
      attempts: refusing,
      system: {
        policy: policy({ node: [{ text: '--no-network-family-autoselection', where: 'this shell' }] }),
      },
    },
    ['PTH-02', 'LIM-07'],
    'warn',
  ],
  [
    'a unit that failed',
    inUnit({ ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', ExecMainStatus: '7' }),
    ['SVC-01'],
    'error',
  ],
  ['a unit that is restarted for ever', inUnit({ NRestarts: '41' }), ['SVC-01'], 'warn'],
  ['a unit that nobody enabled', inUnit({ UnitFileState: 'disabled' }), ['SVC-01'], 'warn'],
  ['a unit without IPv6', inUnit({ RestrictAddressFamilies: 'AF_UNIX AF_INET' }), ['SVC-02'], 'warn'],
  [
    'a unit without IPv6 where it is meant',
    inUnit({ RestrictAddressFamilies: '~AF_INET6' }, { intent: ONLY6 }),
    ['SVC-02'],
    'error',
  ],
  ['a unit with a network of its own', inUnit({ PrivateNetwork: 'yes' }), ['SVC-02'], 'error'],
  [
    'a unit that starts before its address is there',
    {
      ...inUnit({ After: 'basic.target' }),
      subjects: [program({ role: 'master' }), listener('11.0.0.2:9989')],
      listener: heard({ rows: [row('11.0.0.2')], attempts: [tried('11.0.0.2', 'connected')] }),
    },
    ['SVC-03'],
    'warn',
  ],
  ['a socket unit beside it', inUnit({ TriggeredBy: 'bbx-master.socket' }), ['SVC-04'], 'warn'],
  [
    'a unit of another user',
    {
      subjects: [program({ role: 'master' })],
      system: { service: { ...unit({}), runner: { name: 'www-data', uid: 33 } } },
    },
    ['SVC-05'],
    'error',
  ],
  [
    'a program in another network',
    { subjects: [program()], system: { network: 'net:[2]' } },
    ['SVC-06'],
    'warn',
  ],
];

/** Nothing grave: facts, and what is as it should be. */
export const SYSTEM_CONTROLS: [title: string, given: Case][] = [
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

/** Checks that only ever state a fact, and a case of each. */
export const SYSTEM_FACTS: [id: string, given: Case][] = [
  ['HST-10', { host: host({ inside: ['a container (docker)'] }), subjects: [], topic: 'host' }],
  ['DNS-16', { ...reachable, system: { order: { at: AT, addresses: [V4, V6], errno: null, ms: 5 } } }],
  ['LIM-05', { subjects: [], system: { limits: { somaxconn: 128 } } }],
];

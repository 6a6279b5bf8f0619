import { BOTH, heard, listener, name, reply, row, target, tried } from './recorded.ts';
import { resolver } from './recorded-system.ts';
import {
  dual,
  type Fault,
  named,
  open4,
  open6,
  reachable,
  servers,
  subjects,
  V4,
  v4only,
  V6,
  v6only,
} from './usual.ts';

const unfound = { addresses: [], errno: 'EAI_AGAIN', ms: 8 };

/** Faults of names, as nameservers, the system and the hosts file give them. */
export const NAME_FAULTS: Fault[] = [
  [
    'a name that does not exist',
    { names: [name('ci.example', reply('nxdomain'), reply('nxdomain'))], subjects },
    ['DNS-01'],
    'error',
  ],
  [
    'nameservers that answer garbage',
    {
      names: [
        name('ci.example', reply('garbage'), reply('garbage'), {
          lookup: { addresses: [], errno: 'EAI_AGAIN', ms: 5 },
        }),
      ],
      subjects,
    },
    ['DNS-01'],
    'error',
  ],
  [
    'one dead nameserver of two',
    {
      names: [
        {
          ...dual,
          servers: [...dual.servers, { server: '192.0.2.1', A: reply('timeout'), AAAA: reply('timeout') }],
        },
      ],
      subjects,
      attempts: [open6, open4],
    },
    ['DNS-01'],
    'warn',
  ],
  [
    'no nameserver at all',
    { names: [name('ci.example', reply('timeout'), reply('timeout'), { servers: [] })], subjects },
    ['DNS-01'],
    'error',
  ],
  [
    'DNS knows the name, programs do not get it',
    {
      names: [{ ...dual, lookup: { addresses: [], errno: 'EAI_FAIL', ms: 1 } }],
      subjects,
      attempts: [open6, open4],
    },
    ['DNS-02'],
    'error',
  ],
  [
    'AAAA answered SERVFAIL',
    { names: [name('ci.example', reply('answer', [V4]), reply('servfail'))], subjects, attempts: [open4] },
    ['DNS-03'],
    'warn',
  ],
  [
    'AAAA answered REFUSED',
    { names: [name('ci.example', reply('answer', [V4]), reply('refused'))], subjects, attempts: [open4] },
    ['DNS-03'],
    'warn',
  ],
  [
    'AAAA answered NXDOMAIN',
    { names: [name('ci.example', reply('answer', [V4]), reply('nxdomain'))], subjects, attempts: [open4] },
    ['DNS-03'],
    'warn',
  ],
  [
    'AAAA never answered',
    {
      names: [name('ci.example', reply('answer', [V4]), reply('timeout', [], 2_000))],
      subjects,
      attempts: [open4],
    },
    ['DNS-03'],
    'error',
  ],
  [
    'no AAAA where IPv6 is insisted on',
    { names: [v4only], subjects, attempts: [open4], intent: BOTH },
    ['DNS-04'],
    'warn',
  ],
  [
    'a name with AAAA alone, for programs that ask A',
    { names: [v6only], subjects, attempts: [open6] },
    ['DNS-05'],
    'warn',
  ],
  [
    '::1 published as AAAA',
    {
      names: [name('ci.example', reply('answer', [V4]), reply('answer', ['::1']))],
      subjects,
      attempts: [tried('::1', 'ECONNREFUSED'), open4],
    },
    ['DNS-06'],
    'error',
  ],
  [
    'a link-local AAAA',
    {
      names: [name('ci.example', reply('answer', [V4]), reply('answer', ['fe80::5']))],
      subjects,
      attempts: [tried('fe80::5', 'EINVAL', { local: true }), open4],
    },
    ['DNS-06'],
    'error',
  ],
  [
    'a unique local AAAA beside a public A',
    {
      names: [name('ci.example', reply('answer', [V4]), reply('answer', ['fd00::5']))],
      subjects,
      attempts: [tried('fd00::5', 'connected'), open4],
      sources: [],
    },
    ['DNS-06'],
    'warn',
  ],
  [
    'a hosts file that overrides DNS',
    {
      names: [{ ...dual, hosts: ['11.0.9.9'], lookup: { addresses: ['11.0.9.9'], errno: null, ms: 0 } }],
      subjects,
      attempts: [tried('11.0.9.9', 'connected')],
    },
    ['DNS-07'],
    'warn',
  ],
  [
    'a hosts file that leaves out the family that is meant',
    {
      names: [{ ...dual, hosts: [V4], lookup: { addresses: [V4], errno: null, ms: 0 } }],
      subjects,
      attempts: [open4],
      intent: BOTH,
    },
    ['DNS-07'],
    'warn',
  ],
  [
    'a hosts file that sends the master to loopback',
    {
      names: [{ ...dual, hosts: ['127.0.0.1'], lookup: { addresses: ['127.0.0.1'], errno: null, ms: 0 } }],
      subjects,
      attempts: [tried('127.0.0.1', 'ECONNREFUSED')],
    },
    ['DNS-07'],
    'error',
  ],
  [
    'the own name on 127.0.1.1, where nothing listens',
    {
      names: [
        name('here', reply('nxdomain'), reply('nxdomain'), {
          hosts: ['127.0.1.1'],
          ownName: true,
          lookup: { addresses: ['127.0.1.1'], errno: null, ms: 0 },
        }),
      ],
      subjects: [target('here:9989'), listener('11.0.0.2:9989')],
      attempts: [tried('127.0.1.1', 'connected')],
      listener: heard({ rows: [row('11.0.0.2')], attempts: [tried('11.0.0.2', 'connected')] }),
    },
    ['DNS-08'],
    'warn',
  ],
  [
    "this host's own name on 127.0.1.1, where its listener is not",
    {
      names: [
        name('ci.example', reply('nxdomain'), reply('nxdomain'), {
          hosts: ['127.0.1.1'],
          ownName: true,
          lookup: { addresses: ['127.0.1.1'], errno: null, ms: 0 },
        }),
      ],
      subjects: [...subjects, listener('11.0.0.2:9989', { hosts: ['11.0.0.2'], state: 'given' })],
      listener: heard({ attempts: [tried('11.0.0.2', 'connected')] }),
      attempts: [tried('127.0.1.1', 'ECONNREFUSED')],
      listensHere: false,
    },
    ['DNS-08'],
    'error',
  ],
  [
    'a hosts file that sends one family to loopback, where nobody is',
    {
      names: [
        { ...dual, hosts: ['127.0.0.1'], lookup: { addresses: ['127.0.0.1', V6], errno: null, ms: 0 } },
      ],
      subjects,
      attempts: [tried('127.0.0.1', 'ECONNREFUSED'), open6],
    },
    ['DNS-07'],
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
];

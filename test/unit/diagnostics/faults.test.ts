import { describe, expect, it } from 'vitest';
import { doctorReport } from '../../../src/api/doctor.ts';
import { AUTO } from '../../../src/diagnostics/intent.ts';
import type { TargetSubject } from '../../../src/diagnostics/subject.ts';
import { namesIn } from '../../../src/diagnostics/share-names.ts';
import { createPseudonyms } from '../../../src/diagnostics/share.ts';
import {
  address,
  AT,
  BOTH,
  heard,
  host,
  listener,
  literal,
  name,
  noIpv6,
  ONLY4,
  ONLY6,
  peer,
  disk,
  program,
  reply,
  report,
  row,
  target,
  tried,
  type Case,
} from './recorded.ts';
import { problemOfLine } from './pasteable.ts';
import { placeOf, tellingTexts } from './telling-texts.ts';
import { FAR_CONTROLS, FAR_FAULTS } from './far-faults.ts';
import { LINK_FAULTS } from './link-faults.ts';
import { SYSTEM_CONTROLS, SYSTEM_FACTS, SYSTEM_FAULTS } from './system-faults.ts';
import { STOCK_CONTROLS, STOCK_FAULTS } from './stock-faults.ts';
import { BETWEEN_CONTROLS, BETWEEN_FAULTS } from './between-faults.ts';

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';
const dual = name('ci.example', reply('answer', [V4]), reply('answer', [V6]));
const v4only = name('ci.example', reply('answer', [V4]), reply('nodata'));
const v6only = name('ci.example', reply('nodata'), reply('answer', [V6]));
const open4 = tried(V4, 'connected');
const open6 = tried(V6, 'connected');
const subjects = [target()];
const local = (errno: string) => tried(V6, errno, { local: true });
const stranded = [{ target: V6, family: 6 as const, source: null, errno: 'ENETUNREACH' }];
const setting = (text: string) => ({
  kind: 'setting' as const,
  key: 'listen.workers',
  text,
  role: 'listen' as const,
  source: 'master.yaml:2:12',
});
const withAddress = (more: Parameters<typeof address>[1]) =>
  host({ addresses: [...host().addresses, address('2a00:1::9', more)] });

/** A fault, the root findings that it must give at warn or error (first, and nothing but them), and whether it fails the run. */
const FAULTS: [title: string, given: Case, roots: string[], verdict: 'error' | 'warn'][] = [
  ...SYSTEM_FAULTS,
  ...FAR_FAULTS,
  ...LINK_FAULTS,
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
    'a running master without its listener',
    { subjects: [listener()], listener: heard({ rows: [], attempts: [] }) },
    ['LSN-01'],
    'error',
  ],
  [
    'a listener on 0.0.0.0 where both families are meant',
    {
      subjects: [listener('0.0.0.0:9989')],
      intent: BOTH,
      listener: heard({
        rows: [row('0.0.0.0')],
        attempts: [tried('127.0.0.1', 'connected'), tried('::1', 'ECONNREFUSED')],
      }),
    },
    ['LSN-02'],
    'error',
  ],
  [
    'an IPv4 listener under a name with AAAA alone',
    {
      subjects: [listener('0.0.0.0:9989'), target('[::1]:9989', { port: 9989 })],
      listener: heard({
        rows: [row('0.0.0.0')],
        attempts: [tried('127.0.0.1', 'connected'), tried('::1', 'ECONNREFUSED')],
      }),
      attempts: [tried('::1', 'ECONNREFUSED')],
    },
    ['LSN-02'],
    'error',
  ],
  [
    'a socket for IPv6 alone on [::]',
    {
      subjects: [listener()],
      listener: heard({ attempts: [tried('127.0.0.1', 'ECONNREFUSED'), tried('::1', 'connected')] }),
    },
    ['LSN-03'],
    'error',
  ],
  [
    'a port that another program holds',
    {
      subjects: [listener('[::]:9989', { state: 'stopped' })],
      listener: heard({
        rows: [row('127.0.0.1')],
        attempts: [],
        binds: [{ address: '::', errno: 'EADDRINUSE' }],
      }),
    },
    ['LSN-04'],
    'error',
  ],
  [
    'a low port without privilege',
    {
      subjects: [listener('[::]:81', { state: 'stopped' })],
      listener: heard({ rows: [], attempts: [], binds: [{ address: '::', errno: 'EACCES' }] }),
    },
    ['LSN-05'],
    'error',
  ],
  [
    "an address that is not this host's",
    {
      subjects: [listener('203.0.113.9:9989', { state: 'stopped' })],
      listener: heard({
        rows: [],
        attempts: [],
        binds: [{ address: '203.0.113.9', errno: 'EADDRNOTAVAIL' }],
      }),
    },
    ['LSN-06'],
    'error',
  ],
  [
    'two masters on one port, by family',
    {
      subjects: [listener()],
      listener: heard({ rows: [row('0.0.0.0', '1'), row('::', '2')] }),
      listenerPeers: [peer('127.0.0.1'), peer('::1', { instance: 'sha256:b' })],
    },
    ['LSN-07'],
    'error',
  ],
  [
    'workers sent to a master on loopback',
    { subjects: [listener('localhost:9989', { reach: ['farm.example:9989'] })] },
    ['LSN-08'],
    'error',
  ],
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
    'no address answers',
    { names: [dual], subjects, attempts: [tried(V6, 'silent'), tried(V4, 'EHOSTUNREACH', { ms: 3_100 })] },
    ['PTH-01'],
    'error',
  ],
  [
    'one of two IPv4 addresses is dead',
    {
      names: [name('ci.example', reply('answer', [V4, '11.0.5.11']), reply('answer', [V6]))],
      subjects,
      attempts: [open6, open4, tried('11.0.5.11', 'silent')],
    },
    ['PTH-01'],
    'warn',
  ],
  [
    'a dead AAAA beside a good A',
    { names: [dual], subjects, attempts: [tried(V6, 'silent'), open4] },
    ['PTH-02'],
    'warn',
  ],
  [
    'IPv6 refused beside a good A, both insisted on',
    { names: [dual], subjects, attempts: [tried(V6, 'ECONNREFUSED'), open4], intent: BOTH },
    ['PTH-02'],
    'error',
  ],
  [
    'a dead AAAA where bbx itself goes by IPv4: other programs wait for it',
    { names: [dual], subjects, attempts: [tried(V6, 'silent'), open4], intent: ONLY4 },
    ['PTH-03'],
    'warn',
  ],
  [
    'the only address, slow each time',
    {
      names: [v4only],
      subjects,
      attempts: [tried(V4, 'connected', { ms: 1_400 })],
      handshakes: [
        { address: V4, family: 4, attempts: [1_400, 1_100].map((ms) => tried(V4, 'connected', { ms })) },
      ],
    },
    ['PTH-05'],
    'warn',
  ],
  [
    'everything refused',
    { names: [dual], subjects, attempts: [tried(V6, 'ECONNREFUSED'), tried(V4, 'ECONNREFUSED')] },
    ['PTH-04'],
    'error',
  ],
  [
    'silence at the port, and a reset at another of the same address',
    {
      names: [dual],
      subjects,
      attempts: [tried(V6, 'silent'), tried(V4, 'silent')],
      closedPort: [tried(V6, 'ECONNREFUSED', { port: 65_013 }), tried(V4, 'ECONNREFUSED', { port: 65_013 })],
    },
    ['PTH-04'],
    'error',
  ],
  [
    'silence at every port',
    {
      names: [v4only],
      subjects,
      attempts: [tried(V4, 'silent')],
      closedPort: [tried(V4, 'silent', { port: 65_013 })],
    },
    ['PTH-01'],
    'error',
  ],
  [
    'a prohibit route of this host',
    { names: [v4only], subjects, attempts: [tried(V4, 'EACCES', { local: true })] },
    ['PTH-04'],
    'error',
  ],
  [
    'a router that rejects',
    { names: [v4only], subjects, attempts: [tried(V4, 'EHOSTUNREACH', { ms: 20 })] },
    ['PTH-04'],
    'error',
  ],
  [
    'a link-local literal without zone',
    { subjects: [target('[fe80::1]:9989')], attempts: [tried('fe80::1', 'EINVAL', { local: true })] },
    ['PTH-08'],
    'error',
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
    'a link-local literal with the zone of no interface',
    { subjects: [target('[fe80::1%nope0]:9989')], attempts: [tried('fe80::1%nope0', 'silent')] },
    ['PTH-08'],
    'error',
  ],
  [
    'builds as a user that is not there',
    {
      subjects: [program({ runAs: 'nosuch' })],
      runAs: { at: AT, user: 'nosuch', state: 'missing', closed: null, unseen: null },
    },
    ['RUN-01'],
    'warn',
  ],
  [
    'builds as root',
    {
      subjects: [program({ runAs: 'root', running: false })],
      runAs: { at: AT, user: 'root', state: 'root', closed: null, unseen: null },
    },
    ['RUN-01'],
    'warn',
  ],
  [
    'builds as a user that cannot reach the worker',
    {
      subjects: [program({ runAs: 'ci' })],
      runAs: { at: AT, user: 'ci', state: 'known', closed: '/root', unseen: null },
    },
    ['RUN-01'],
    'warn',
  ],
  [
    'a full disk',
    { subjects: [program()], disks: { at: AT, disks: [disk({ freeBytes: 4_096 })], unseen: [] } },
    ['DSK-01'],
    'error',
  ],
  [
    'a disk without room for another file',
    { subjects: [program()], disks: { at: AT, disks: [disk({ freeFiles: 0 })], unseen: [] } },
    ['DSK-01'],
    'error',
  ],
  [
    'a disk that is nearly full',
    { subjects: [program()], disks: { at: AT, disks: [disk({ freeBytes: 1 << 30 })], unseen: [] } },
    ['DSK-01'],
    'warn',
  ],
  [
    'a store that is away',
    {
      subjects: [program({ role: 'master', store: 'postgres://db/bbx' })],
      store: {
        at: AT,
        store: 'postgres://db/bbx',
        ms: 3,
        error: {
          code: 'BBX-STO-AWAY',
          message: 'Cannot reach store "postgres://db/bbx": it starts',
          hint: null,
        },
      },
    },
    ['STO-01'],
    'error',
  ],
  [
    'a slow store',
    {
      subjects: [program({ role: 'master', store: 'postgres://db/bbx' })],
      store: { at: AT, store: 'postgres://db/bbx', ms: 2_500, error: null },
    },
    ['STO-01'],
    'warn',
  ],
  [
    'a web server on the worker port',
    {
      names: [dual],
      subjects,
      attempts: [open6, open4],
      peers: [peer(V6, { kind: 'http', instance: null }), peer(V4, { kind: 'http', instance: null })],
    },
    ['PRO-01'],
    'error',
  ],
  [
    'another master than the pinned one',
    {
      names: [dual],
      subjects: [target('ci.example:9989', { pins: ['sha256:other'] })],
      attempts: [open6, open4],
    },
    ['PRO-01'],
    'error',
  ],
  [
    'different masters behind one name',
    {
      names: [dual],
      subjects,
      attempts: [open6, open4],
      peers: [peer(V6), peer(V4, { instance: 'sha256:b' })],
    },
    ['PRO-01'],
    'error',
  ],
  [
    'it accepts and is silent',
    {
      names: [dual],
      subjects,
      attempts: [open6, open4],
      peers: [
        peer(V6, { kind: 'silent', instance: null, ms: 3_000 }),
        peer(V4, { kind: 'silent', instance: null, ms: 3_000 }),
      ],
    },
    ['PRO-03'],
    'error',
  ],
  [
    'a key that the master does not know',
    {
      names: [dual],
      subjects: [target('ci.example:9989', { workerDir: '/w', workerName: 'w1' })],
      attempts: [open6, open4],
      authentication: { accepted: false, code: 'BBX-PRO-REFUSED', message: 'no', hint: null },
    },
    ['PRO-05'],
    'error',
  ],
  [
    'a worker that waits for approval',
    {
      names: [dual],
      subjects: [target('ci.example:9989', { workerDir: '/w', workerName: 'w1' })],
      attempts: [open6, open4],
      authentication: { accepted: false, code: 'BBX-PRO-PENDING', message: 'pending', hint: null },
    },
    ['PRO-05'],
    'warn',
  ],
  [
    'a mistake elsewhere in the configuration',
    { subjects: [{ ...setting(''), problem: 'unknown key "listem"' }] },
    ['CFG-01'],
    'error',
  ],
  ['an address that cannot be read', { subjects: [setting('[::]:99999')] }, ['CFG-02'], 'error'],
  ['an IPv6 address and a port without brackets', { subjects: [setting('::1:9989')] }, ['CFG-02'], 'error'],
  ['a port that is no number', { subjects: [setting('192.0.2.1:http')] }, ['CFG-01'], 'error'],
  ['a name to listen on', { subjects: [setting('farm.example:9989')] }, ['CFG-03'], 'error'],
  ...STOCK_FAULTS,
  ...BETWEEN_FAULTS,
];

/** Facts by themselves are no trouble of anybody's. */
const FACTS = SYSTEM_FACTS;

/** Nothing is wrong here, and so nothing may be said at warn or error. */
const CONTROLS: [title: string, given: Case][] = [
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
  ...SYSTEM_CONTROLS,
  ...FAR_CONTROLS,
  ...STOCK_CONTROLS,
  ...BETWEEN_CONTROLS,
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
];

describe('faults and their one root', () => {
  it.each(FAULTS)('%s', async (_title, given, roots, verdict) => {
    const { report: got } = await report(given);
    const grave = got.findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map(({ id }) => id)).toEqual(roots);
    expect(got.verdict).toBe(verdict);
    expect(doctorReport.parse(got)).toEqual(got);
  });

  it('gives every root evidence and a next step', async () => {
    for (const [title, given] of FAULTS) {
      const { report: got } = await report(given);
      for (const finding of got.findings.filter(({ status }) => status === 'error' || status === 'warn')) {
        expect(finding.evidence.length, title).toBeGreaterThan(0);
        expect(finding.fix.length, title).toBeGreaterThan(0);
        expect(finding.title, title).not.toMatch(/undefined|null|NaN/);
      }
    }
  });

  it('offers as commands only what a shell takes and is there', async () => {
    const reports = await Promise.all(FAULTS.map(async ([, given]) => (await report(given)).report));
    const lines = reports.flatMap(({ findings }) =>
      findings.flatMap(({ fix }) => fix.flatMap(({ commands = [] }) => commands)),
    );
    expect(lines.length).toBeGreaterThan(50);
    expect([...new Set(lines)].flatMap((line) => problemOfLine(line) ?? [])).toEqual([]);
  });

  it('can be shown to anybody with stand-ins for what it tells of its place', async () => {
    for (const [title, given] of FAULTS) {
      const { report: got } = await report(given);
      const disguised = JSON.stringify(createPseudonyms(namesIn(placeOf(given), {}))(got));
      expect(
        tellingTexts(given).filter((text) => disguised.includes(text)),
        title,
      ).toEqual([]);
      // What is wrong can still be read.
      for (const { id } of got.findings) expect(disguised).toContain(`"${id}"`);
    }
  });

  it('has a fault for every check of the catalogue', async () => {
    const { catalogue } = await import('../../../src/diagnostics/catalogue.ts');
    const covered = new Set([...FAULTS.flatMap(([, , roots]) => roots), ...FACTS.map(([id]) => id)]);
    expect(catalogue.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
  });
});

describe('checks that state facts alone', () => {
  it.each(FACTS)('%s says what it saw, and fails nothing', async (id, given) => {
    const { report: got } = await report(given);
    expect(got.findings.filter((finding) => finding.id === id)).toMatchObject([{ status: 'info' }]);
    expect(got.verdict).toBe('ok');
  });
});

describe('controls', () => {
  it.each(CONTROLS)('says nothing grave of %s', async (_title, given) => {
    const { report: got, mustKnow } = await report(given);
    expect(got.findings.filter(({ status }) => status !== 'info')).toEqual([]);
    expect(got.verdict).toBe('ok');
    expect(mustKnow).toBe(false);
  });
});

describe('a program that does not run', () => {
  it.each([
    ['.', 'The master of this directory does not run: bbx run master'],
    ['/srv/farm/master', 'The master does not run: bbx run master /srv/farm/master'],
  ])('is a fact with its next command, seen from %s', async (shown, title) => {
    const { report: got } = await report({ subjects: [program({ role: 'master', running: false, shown })] });
    expect(got.findings.filter(({ id }) => id === 'RUN-01')).toMatchObject([{ status: 'info', title }]);
  });
});

describe('what a closed port of the same address tells', () => {
  it.each([
    ['ECONNREFUSED', 'ECONNREFUSED', 'possible', /nothing listens on that port, or a firewall/],
    ['ECONNREFUSED', 'silent', 'likely', /lets this one through, but nothing listens/],
    ['EACCES', 'ECONNREFUSED', 'proven', /rejects .* and to no other port$/],
    ['EACCES', 'EACCES', 'likely', /rejects .*\(EACCES\)$/],
    ['silent', 'ECONNREFUSED', 'likely', /port 9989 of ci.example alone is silent/],
  ])('%s here and %s there', async (here, there, confidence, title) => {
    const { report: got } = await report({
      names: [v4only],
      subjects,
      attempts: [tried(V4, here)],
      closedPort: [tried(V4, there, { port: 65_013 })],
    });
    expect(got.findings[0]).toMatchObject({
      id: 'PTH-04',
      confidence,
      title: expect.stringMatching(title) as string,
    });
    expect(got.findings[0]?.evidence.map(({ what }) => what)).toEqual([`tcp ${V4}:9989`, `tcp ${V4}:65013`]);
  });
});

describe('a refusal on this host itself', () => {
  it.each<[string, Partial<TargetSubject>, boolean]>([
    ['127.0.0.1:22', { port: 22, plane: 'other' }, false],
    ['127.0.0.1:9989', { plane: 'other' }, true],
    ['127.0.0.1:7001', { port: 7_001 }, true],
    ['127.0.0.1:9989', { protocol: 'pb' }, false],
  ])('at %s, %j: offers to run a master: %s', async (text, more, offers) => {
    const { report: got } = await report({
      subjects: [target(text, more)],
      attempts: [tried('127.0.0.1', 'ECONNREFUSED')],
      listensHere: false,
    });
    const commands = got.findings.flatMap(({ fix }) => fix.flatMap(({ commands: lines = [] }) => lines));
    expect(commands.includes('bbx run master')).toBe(offers);
    expect(commands).toContain(`ss -ltn sport = :${more.port ?? 9_989}`);
  });
});

describe("a worker's key that this user may not read", () => {
  it('leaves one question open, in a sentence, and fails nothing', async () => {
    const { report: got, mustKnow } = await report({
      names: [dual],
      subjects: [target('ci.example:9989', { workerDir: '/w', workerName: 'w1', pins: ['sha256:a'] })],
      attempts: [open6, open4],
      authentication: { accepted: null, code: 'EACCES', message: '/w/key.pem', hint: null },
    });
    expect(got.findings).toMatchObject([
      {
        id: 'PRO-05',
        status: 'unknown',
        title:
          'Whether the master lets worker "w1" in is not known: this user may not read the worker\'s key',
      },
    ]);
    expect(mustKnow).toBe(false);
  });
});

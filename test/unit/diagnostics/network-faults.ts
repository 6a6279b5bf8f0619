import { parseHop } from '../../../src/net/endpoint/hop.ts';
import {
  address,
  BOTH,
  heard,
  host,
  listener,
  name,
  ONLY4,
  peer,
  reply,
  target,
  tried,
  program,
  row,
  AT,
  type Case,
} from './recorded.ts';
import type { HealthFact } from '../../../src/diagnostics/facts/own.ts';
import { healthy, type OwnFacts } from './recorded-own.ts';
import { certificate, failedWay, NOW, secured } from './recorded-ways.ts';
import { dual, type Fault, noIpv4, open4, open6, V4, V6 } from './usual.ts';

const ROUTER = '203.0.114.7';
const SOURCE = './master configuration';
const natted = host({
  addresses: [address('127.0.0.1', { kind: 'loopback' }), address('192.168.1.5', { kind: 'private' })],
  defaultRoute: { 4: 'eth0', 6: null },
});
/** A master at home: it tells its workers the router's address. */
function atHome(more: Partial<Case> = {}): Case {
  return {
    host: natted,
    names: [name('farm.example', reply('answer', [ROUTER]), reply('nodata'))],
    sources: [{ target: ROUTER, family: 4, source: '192.168.1.5', errno: null }],
    subjects: [
      listener('[::]:9989', { source: SOURCE, reach: ['farm.example:9989'] }),
      target('farm.example:9989', { source: SOURCE }),
    ],
    attempts: [tried(ROUTER, 'ECONNREFUSED')],
    ...more,
  };
}

/** Behind a proxy, with what CONNECT to an address of each family came to. */
function proxied(six: 'up' | 'down', four: 'up' | 'down', more: Partial<Case> = {}): Case {
  const up = { at: AT, ms: 9, steps: [], failure: null };
  const down = failedWay({ hop: 'http://proxy:3128', problem: '502 Bad Gateway', reply: 502 });
  return {
    subjects: [target('ci.example:9989', { via: [parseHop('http://proxy:3128')] })],
    peers: [peer('ci.example')],
    between: {
      familyWays: [
        { family: 6, address: V6, way: six === 'up' ? up : down },
        { family: 4, address: V4, way: four === 'up' ? up : down },
      ],
    },
    ...more,
  };
}

/** A call of `doctor tls` with such a certificate at both addresses. */
function tls(more: Parameters<typeof secured>[1]): Case {
  return {
    names: [dual],
    topic: 'tls',
    subjects: [target('ci.example:9989', { protocol: 'tls', plane: 'other' })],
    attempts: [open6, open4],
    between: { tls: [secured(V6, more), secured(V4, more)] },
  };
}
const company = { subject: 'CN=Company Root', from: 'system' } as const;

const MINUTE = 60_000;
const taken = (minutesAgo: number, kind: 'replaced' | 'refused' = 'replaced') => ({
  ...{ at: NOW - minutesAgo * MINUTE, kind },
  words: kind,
});
const worker = (linkEnds: OwnFacts['linkEnds'], running = true): Case => ({
  subjects: [program({ running })],
  own: { ...(linkEnds === undefined ? {} : { linkEnds }) },
});
const web = (...health: HealthFact[]): Case => ({
  subjects: [listener('localhost:8010', { plane: 'web', source: SOURCE })],
  listener: heard({
    rows: [row('::1', '1', 8010), row('127.0.0.1', '2', 8010)],
    attempts: [tried('::1', 'connected', { port: 8010 }), tried('127.0.0.1', 'connected', { port: 8010 })],
  }),
  own: { health },
});

/** Faults of routers, proxies and authorities between. */
export const NETWORK_FAULTS: Fault[] = [
  ["a master's public address that its router does not lead back", atHome(), ['PTH-09'], 'warn'],
  [
    "a master's public address that is silent from inside",
    atHome({ attempts: [tried(ROUTER, 'silent')] }),
    ['PTH-09'],
    'warn',
  ],
  [
    'the same of a host that has public addresses itself: no router translates there',
    atHome({ host: host(), attempts: [tried(ROUTER, 'silent')] }),
    ['PTH-01'],
    'error',
  ],
  [
    'the same of a host that has no IPv4 at all: nothing is translated for it',
    atHome({ host: noIpv4, attempts: [tried(ROUTER, 'ENETUNREACH', { local: true })] }),
    ['HST-08'],
    'error',
  ],
  [
    'the same of somebody else than the master of this directory',
    atHome({
      subjects: [listener(), target('farm.example:9989', { source: 'worker.yaml' })],
      attempts: [tried(ROUTER, 'silent')],
    }),
    ['PTH-01'],
    'error',
  ],
  [
    'the same of a master that takes no connections at all',
    atHome({ listener: heard({ unaccepted: 2 }), attempts: [tried(ROUTER, 'silent')] }),
    ['LSN-11'],
    'error',
  ],
  ['a proxy that has no IPv6', proxied('down', 'up'), ['PRX-03'], 'warn'],
  [
    'a proxy that has no IPv6, which is insisted on',
    proxied('down', 'up', { intent: BOTH }),
    ['PRX-03'],
    'error',
  ],
  ['a proxy that reaches the target over IPv6 alone', proxied('up', 'down'), ['PRX-03'], 'warn'],
  [
    "an authority of the system's that Node does not have",
    tls({ distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', added: company }),
    ['TLS-10'],
    'error',
  ],
  [
    'a certificate made by a product that looks inside, which nobody trusts',
    tls({
      distrust: 'SELF_SIGNED_CERT_IN_CHAIN',
      chain: [certificate({ issuer: 'C=US, O=Fortinet, CN=FortiGate CA' })],
    }),
    ['TLS-10'],
    'error',
  ],
  [
    'a certificate made by such a product, which this process was told to trust',
    tls({
      added: { subject: 'CN=mitmproxy', from: 'trusted' },
      chain: [certificate({ issuer: 'CN=mitmproxy, O=mitmproxy' })],
    }),
    ['TLS-10'],
    'warn',
  ],
  [
    'a worker that ended since another process has its name',
    worker({ takings: [taken(3)], upAt: NOW - 90 * MINUTE }, false),
    ['PRO-06'],
    'warn',
  ],
  [
    'two processes that take one name from each other',
    worker({ takings: [taken(9), taken(6), taken(3, 'refused')], upAt: NOW }),
    ['PRO-06'],
    'warn',
  ],
  [
    'a web port of which another program answers one family',
    web(healthy('::1'), healthy('127.0.0.1', { exact: false, said: 'HTTP/1.1 200 OK\r\n\r\nhello' })),
    ['PRO-08'],
    'error',
  ],
  [
    'a web port that takes connections and says nothing',
    web(healthy('127.0.0.1', { status: null, exact: false, said: 'no answer for 3 s' })),
    ['PRO-08'],
    'error',
  ],
];

/** As it may be without being a fault. */
export const NETWORK_CONTROLS: [title: string, given: Case][] = [
  ['a router that leads back to the master', atHome({ attempts: [tried(ROUTER, 'connected')] })],
  ['a proxy with both families', proxied('up', 'up')],
  ['a proxy that takes names alone', proxied('down', 'down')],
  ['a proxy without IPv6, which is not meant', proxied('down', 'up', { intent: ONLY4 })],
  [
    "a company's own authority that this process was told to trust",
    tls({ added: { subject: 'CN=Company Root', from: 'trusted' } }),
  ],
  [
    'a certificate whose trusted signer has the name of such a product',
    tls({ chain: [certificate({ issuer: 'CN=Sophos Public Root' })] }),
  ],
  [
    'a worker whose name was taken once, and that was let in since',
    worker({ takings: [taken(3)], upAt: NOW }),
  ],
  [
    'a worker that was moved to another machine days ago',
    worker({ takings: [taken(3 * 24 * 60)], upAt: NOW - 4 * 24 * 60 * MINUTE }, false),
  ],
  ['a web port that is well', web(healthy('::1'), healthy('127.0.0.1'))],
  [
    "a web port of stock Buildbot's, which has no /health",
    {
      ...web(healthy('127.0.0.1', { status: 404, exact: false })),
      subjects: [listener('localhost:8010', { plane: 'web', source: 'master.cfg' })],
    },
  ],
];

const dns = (reverse: NonNullable<Case['system']>['reverse']): Case => ({
  topic: 'dns',
  names: [dual],
  subjects: [target('ci.example', { port: undefined, protocol: 'tcp', plane: 'other' })],
  system: { ...(reverse === undefined ? {} : { reverse }) },
});

/** What is only told. */
export const NETWORK_FACTS: [id: string, given: Case][] = [
  ['DNS-14', dns({ [V4]: { outcome: 'none', names: [] } })],
  ['DNS-14', dns({ [V6]: { outcome: 'names', names: [{ name: 'old.example', addresses: ['2a00:9::1'] }] } })],
];

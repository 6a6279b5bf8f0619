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
  AT,
  type Case,
} from './recorded.ts';
import { certificate, failedWay, secured } from './recorded-ways.ts';
import { dual, type Fault, open4, open6, V4, V6 } from './usual.ts';

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
];

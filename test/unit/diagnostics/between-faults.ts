import { parseHop } from '../../../src/net/endpoint/hop.ts';
import { literal, name, peer, program, reply, target, tried, type Case } from './recorded.ts';
import {
  certificate,
  days,
  failedWay,
  proxySetting,
  secured,
  unsecured,
  type BetweenFacts,
} from './recorded-ways.ts';

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';
const open = [tried(V6, 'connected'), tried(V4, 'connected')];
const names = [
  {
    ...literal('ci.example'),
    literal: null,
    servers: [
      {
        server: '192.0.2.53',
        A: { outcome: 'answer' as const, addresses: [V4], ms: 3 },
        AAAA: { outcome: 'answer' as const, addresses: [V6], ms: 3 },
      },
    ],
    lookup: { addresses: [V6, V4], errno: null, ms: 4 },
  },
];

/** A call of `doctor tls`, with what was seen at both addresses, or at each. */
function tls(seen: BetweenFacts['tls'], more: Partial<BetweenFacts> = {}, host = 'ci.example'): Case {
  const text = host.includes(':') ? `[${host}]:9989` : `${host}:9989`;
  return {
    names,
    topic: 'tls',
    subjects: [target(text, { protocol: 'tls', plane: 'other' })],
    attempts: host === 'ci.example' ? open : [tried(host, 'connected')],
    between: { ...(seen === undefined ? {} : { tls: seen }), ...more },
  };
}

const both = (more: Parameters<typeof secured>[1]) => [secured(V6, more), secured(V4, more)];

/** A call of `doctor reach --via`, and what going that way came to. */
function behind(hop: string, between: BetweenFacts): Case {
  return {
    subjects: [target('ci.example:9989', { via: [parseHop(hop)] })],
    attempts: [],
    between,
  };
}

const closed = (text: string) =>
  peer(text, { kind: 'closed', instance: null, tls: false, version: null, problem: 'closed without a word' });
const met = (more: Parameters<typeof peer>[1]): Case => ({
  names,
  subjects: [target()],
  attempts: open,
  peers: [peer(V6, more), peer(V4, more)],
});

/** Faults of what lies between: TLS, proxies, tunnels, clocks. */
export const BETWEEN_FAULTS: [title: string, given: Case, roots: string[], verdict: 'error' | 'warn'][] = [
  [
    'a TLS server that refuses everybody',
    tls([
      unsecured(V6, 'refused', { code: 'ERR_SSL_INTERNAL_ERROR' }),
      unsecured(V4, 'refused', { code: 'ERR_SSL_INTERNAL_ERROR' }),
    ]),
    ['TLS-01'],
    'error',
  ],
  [
    'TLS that works at one address of two',
    tls([secured(V6), unsecured(V4, 'refused', { code: 'ERR_SSL_INTERNAL_ERROR' })]),
    ['TLS-01'],
    'warn',
  ],
  ['a slow handshake', tls(both({ ms: 4_000 })), ['TLS-01'], 'warn'],
  [
    'a certificate of an unknown authority',
    tls(both({ distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })),
    ['TLS-02'],
    'error',
  ],
  [
    'a certificate signed by itself',
    tls(
      both({
        distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT',
        chain: [certificate({ selfSigned: true, issuer: 'CN=ci.example' })],
      }),
    ),
    ['TLS-02'],
    'error',
  ],
  [
    "another key than the pinned one, where bbx's protocol is meant",
    {
      ...tls(both({ farm: true, pin: 'sha256:other' })),
      subjects: [target('ci.example:9989', { pins: ['sha256:a'] })],
    },
    ['TLS-02'],
    'error',
  ],
  ['a certificate for another host', tls(both({ fits: 'no' })), ['TLS-03'], 'error'],
  [
    'a certificate without subjectAltName',
    tls(both({ fits: 'common name', chain: [certificate({ names: null })] })),
    ['TLS-03'],
    'warn',
  ],
  [
    'an expired certificate',
    tls(both({ chain: [certificate({ to: days(-3) })], distrust: 'CERT_HAS_EXPIRED' })),
    ['TLS-04'],
    'error',
  ],
  [
    'a certificate that is not valid yet',
    tls(both({ chain: [certificate({ from: days(3) })], distrust: 'CERT_NOT_YET_VALID' })),
    ['TLS-04'],
    'error',
  ],
  [
    'a certificate that expires soon',
    tls(both({ chain: [certificate({ to: days(9) })] })),
    ['TLS-04'],
    'warn',
  ],
  [
    'a certificate of six days that nobody has renewed',
    tls(both({ chain: [certificate({ from: days(-4.5), to: days(1.5) })] })),
    ['TLS-04'],
    'warn',
  ],
  [
    'an expired intermediate certificate',
    tls(both({ chain: [certificate(), certificate({ to: days(-1) })], distrust: 'CERT_HAS_EXPIRED' })),
    ['TLS-04'],
    'error',
  ],
  [
    'another certificate over IPv6 than over IPv4',
    tls([secured(V6), secured(V4, { chain: [certificate({ fingerprint: 'CC:DD' })] })]),
    ['TLS-05'],
    'warn',
  ],
  [
    'an SSH server where TLS is meant',
    tls([unsecured(V6, 'plain', { speaks: 'ssh' }), unsecured(V4, 'plain', { speaks: 'ssh' })]),
    ['TLS-06'],
    'error',
  ],
  [
    'a server that closes when TLS is offered',
    tls([unsecured(V6, 'closed'), unsecured(V4, 'closed')]),
    ['TLS-06'],
    'error',
  ],
  [
    'a server that says nothing to TLS',
    tls([unsecured(V6, 'silent'), unsecured(V4, 'silent')]),
    ['TLS-06'],
    'error',
  ],
  [
    'a server that wants a client certificate',
    tls(both({ first: { kind: 'alert', code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' } })),
    ['TLS-07'],
    'error',
  ],
  [
    'a server with old TLS alone',
    tls(
      [V6, V4].map((text) =>
        unsecured(text, 'refused', { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', onlyVersion: 'TLSv1.1' }),
      ),
    ),
    ['TLS-08'],
    'error',
  ],
  [
    'a server that refuses those who offer HTTP by ALPN',
    tls(both({ refusesAlpn: true })),
    ['TLS-08'],
    'warn',
  ],
  [
    'TLS 1.2 where a bbx master is meant',
    { ...tls(both({ farm: true, version: 'TLSv1.2' })), subjects: [target()] },
    ['TLS-08'],
    'error',
  ],
  [
    'a farm key that others may read',
    {
      subjects: [program({ role: 'master', dir: '/farm/master', shown: 'master' })],
      between: { keyFiles: [keyFile({ mode: 0o644 })] },
    },
    ['TLS-09'],
    'warn',
  ],
  [
    'a farm key that is none',
    {
      subjects: [program({ role: 'master', dir: '/farm/master', shown: 'master' })],
      between: { keyFiles: [keyFile({ problem: 'it holds no key in PEM', pin: null })] },
    },
    ['TLS-09'],
    'error',
  ],
  [
    'an IPv6 address with TLS for a stock worker',
    {
      ...tls([secured(V6)], {}, V6),
      subjects: [target(`[${V6}]:9989`, { protocol: 'pb' })],
      peers: [peer(V6, { kind: 'pb' })],
    },
    ['TLS-11'],
    'error',
  ],
  [
    'a proxy variable that is no address',
    {
      subjects: [],
      between: {
        proxySettings: {
          settings: [proxySetting({ problem: 'the port is missing', host: null, port: null })],
        },
      },
    },
    ['PRX-01'],
    'warn',
  ],
  [
    'two spellings of one variable that say different things',
    {
      subjects: [],
      between: {
        proxySettings: {
          settings: [proxySetting(), proxySetting({ name: 'HTTP_PROXY', shown: 'http://other:3128' })],
        },
      },
    },
    ['PRX-01'],
    'warn',
  ],
  [
    'a proxy variable that leads to a proxy that is gone',
    {
      subjects: [target('11.0.1.99:3128', { protocol: 'tcp', port: 3128 })],
      attempts: [tried('11.0.1.99', 'silent', { port: 3128 })],
      between: {
        proxySettings: {
          settings: [proxySetting({ shown: 'http://11.0.1.99:3128', host: '11.0.1.99', port: 3128 })],
        },
      },
    },
    ['PRX-01'],
    'error',
  ],
  [
    'two spellings of one variable, which are no reason for a master that does not answer',
    {
      subjects: [target('11.0.5.10:9989')],
      attempts: [tried('11.0.5.10', 'silent')],
      between: {
        proxySettings: {
          settings: [proxySetting(), proxySetting({ name: 'HTTP_PROXY', shown: 'http://other:3128' })],
        },
      },
    },
    ['PTH-01', 'PRX-01'],
    'error',
  ],
  [
    'a proxy that does not allow the port',
    behind('http://proxy:3128', {
      way: failedWay({ reply: 403, problem: 'it answered 403 Access violation' }),
    }),
    ['PRX-02'],
    'error',
  ],
  [
    'a proxy that wants a login',
    behind('http://proxy:3128', { way: failedWay({ code: 'BBX-NET-PROXY-LOGIN' }) }),
    ['PRX-02'],
    'error',
  ],
  [
    'a SOCKS proxy that cannot reach the target',
    behind('socks5://proxy:1080', {
      way: failedWay({
        kind: 'socks5',
        hop: 'socks5://proxy:1080',
        reply: 5,
        problem: 'the connection was refused there',
      }),
    }),
    ['PRX-05'],
    'error',
  ],
  [
    'an ssh host that does not let us in',
    behind('ssh:me@common', {
      way: failedWay({
        kind: 'ssh',
        hop: 'ssh:me@common',
        code: 'BBX-NET-SSH',
        problem: 'Permission denied (publickey).',
      }),
    }),
    ['PRX-06'],
    'error',
  ],
  [
    'a forward on one loopback address',
    {
      names: [
        {
          ...name('localhost', reply('nodata'), reply('nodata')),
          localhost: true,
          servers: [],
          lookup: { addresses: ['::1', '127.0.0.1'], errno: null, ms: 0 },
        },
      ],
      subjects: [target('localhost:9989')],
      attempts: [tried('::1', 'ECONNREFUSED'), tried('127.0.0.1', 'connected')],
      between: { holder: { at: '2026-01-01T00:00:00.000Z', owners: ['ssh (pid 7)'] } },
    },
    ['PRX-07'],
    'warn',
  ],
  [
    'a tunnel with a dead far end',
    {
      names,
      subjects: [target()],
      attempts: open,
      peers: [closed(V6), closed(V4)],
      links: [],
      between: { holder: { at: '2026-01-01T00:00:00.000Z', owners: ['ssh (pid 7)'] } },
    },
    ['PRX-06'],
    'error',
  ],
  [
    'a web server where a stock master is meant',
    {
      names,
      subjects: [target('ci.example:9989', { protocol: 'pb' })],
      attempts: open,
      peers: [peer(V6, { kind: 'http' }), peer(V4, { kind: 'http' })],
    },
    ['PRO-02'],
    'error',
  ],
  [
    'a master of another age',
    met({ instance: null, code: 'BBX-PRO-VERSION', version: null, problem: 'no version in common' }),
    ['PRO-04'],
    'error',
  ],
  [
    'a web server that passes no WebSocket on',
    {
      names,
      subjects: [target('ci.example:9989', { web: { secure: true, path: '/bbx/worker' } })],
      attempts: open,
      peers: [V6, V4].map((text) =>
        peer(text, {
          kind: 'http',
          instance: null,
          code: 'BBX-NET-UPGRADE',
          problem: 'it answered 400 Bad Request',
        }),
      ),
      links: [],
    },
    ['PRO-07'],
    'error',
  ],
  [
    'a clock that is three hours off',
    met({ clock: { ahead: 10_800, within: 0.1, from: 'greeting' } }),
    ['CLK-01'],
    'error',
  ],
  [
    'a clock that is five seconds off',
    met({ clock: { ahead: -5, within: 0.1, from: 'greeting' } }),
    ['CLK-01'],
    'warn',
  ],
  [
    'a wrong clock that makes a certificate look expired',
    tls(
      both({
        chain: [certificate({ to: days(-3) })],
        distrust: 'CERT_HAS_EXPIRED',
        clock: { ahead: -864_000, within: 0.6, from: 'Date' },
      }),
    ),
    ['CLK-01'],
    'error',
  ],
  [
    'NTP that never set the clock',
    { subjects: [], between: { timeSync: { synchronized: false } } },
    ['CLK-02'],
    'warn',
  ],
];

function keyFile(
  more: Partial<NonNullable<BetweenFacts['keyFiles']>[number]> = {},
): NonNullable<BetweenFacts['keyFiles']>[number] {
  return {
    path: '/farm/master/identity/key.pem',
    shown: 'master/identity/key.pem',
    what: 'key',
    errno: null,
    mode: 0o600,
    problem: null,
    pin: 'sha256:a',
    ...more,
  };
}

/** Nothing is wrong here. */
export const BETWEEN_CONTROLS: [title: string, given: Case][] = [
  ['a TLS server as it should be', tls(both({}))],
  [
    'a certificate of six days, with half of them left',
    tls(both({ chain: [certificate({ from: days(-3), to: days(3) })] })),
  ],
  [
    "a bbx master's own certificate",
    tls(both({ farm: true, distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT', fits: 'no' })),
  ],
  ['a TLS server that says nothing after the handshake', tls(both({ first: { kind: 'quiet', code: null } }))],
  ['a master behind a proxy', { ...behind('socks5://proxy:1080', {}), peers: [peer('ci.example')] }],
  [
    'a stock master where one is meant',
    {
      names,
      subjects: [target('ci.example:9989', { protocol: 'pb' })],
      attempts: open,
      peers: [peer(V6, { kind: 'pb' }), peer(V4, { kind: 'pb' })],
    },
  ],
  [
    'a clock that is off by no more than the error of measuring it',
    met({ clock: { ahead: 2.4, within: 1.5, from: 'Date' } }),
  ],
  [
    'a proxy, with exceptions',
    {
      subjects: [],
      between: {
        proxySettings: {
          settings: [proxySetting()],
          exceptions: [{ source: 'environment', name: 'no_proxy', entries: ['localhost', '10.0.0.0/8'] }],
        },
      },
    },
  ],
  [
    'a clock that somebody else keeps',
    { subjects: [], between: { timeSync: { synchronized: false, service: false } } },
  ],
];

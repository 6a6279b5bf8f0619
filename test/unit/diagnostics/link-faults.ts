import type { RestFact } from '../../../src/diagnostics/facts/links.ts';
import { link, name, peer, reply, target, tried, type Case } from './recorded.ts';

export const V4 = '11.0.5.10';
export const V6 = '2a00:2::10';
/** A master with both families that answers over both. */
export const OPEN: Case = {
  names: [name('ci.example', reply('answer', [V4]), reply('answer', [V6]))],
  subjects: [target()],
  attempts: [tried(V6, 'connected'), tried(V4, 'connected')],
};
const series = link(V6).series!;
export const rest = (seconds: number, more: Partial<RestFact> = {}): RestFact => {
  return { address: V6, family: 6, seconds, first: 'master', alive: true, problem: null, ...more };
};
export const DEAD = { alive: false, problem: 'no word of the master for 3 s' } as const;

/** Faults of a connection that stands, and words of the finding. */
export const LINKS: [
  title: string,
  given: Partial<Case>,
  roots: string[],
  verdict: 'error' | 'warn',
  words: RegExp,
][] = [
  [
    'large packets are lost on the way to the master',
    { links: [link(V6, {}, { bytes: 4_096, way: 'up' }), link(V4)] },
    ['PTH-06'],
    'error',
    /IPv6 to ci\.example:9989 loses large packets on the way to the master/,
  ],
  [
    'large packets are lost on the way back',
    { links: [link(V6, {}, { bytes: 1_300, way: 'down' }), link(V4)] },
    ['PTH-06'],
    'error',
    /loses large packets on the way from the master/,
  ],
  [
    'the first message of TLS is lost, which explains the silence',
    {
      peers: [peer(V6, { kind: 'silent', instance: null, tls: false, ms: 3_000 }), peer(V4)],
      links: [link(V6, {}, { bytes: 4_096, way: 'up' }), link(V4)],
    },
    ['PTH-06'],
    'error',
    /loses large packets/,
  ],
  [
    'a link that is merely slow',
    { links: [link(V6), link(V4, {}, { bytes: 65_536, way: 'down' })] },
    ['PTH-06'],
    'warn',
    /the way is slow or loses much/,
  ],
  [
    'a connection that dies while it rests',
    {
      links: [
        link(V6, { series: { ...series, rested: { restMs: 250, downMs: null, upMs: null } } }),
        link(V4),
      ],
    },
    ['PRO-09'],
    'error',
    /dies while it rests/,
  ],
  [
    'a connection that breaks off in the middle of the probes',
    { links: [link(V6, { series: null, problem: 'the connection ended without a word' }), link(V4)] },
    ['PRO-09'],
    'error',
    /breaks off in the middle/,
  ],
  [
    'handshakes near what Node waits for',
    {
      attempts: [tried(V6, 'connected', { ms: 320 }), tried(V4, 'connected')],
      handshakes: [
        {
          address: V6,
          family: 6,
          attempts: [320, 310, 305, 330, 307].map((ms) => tried(V6, 'connected', { ms })),
        },
      ],
    },
    ['PTH-05'],
    'warn',
    /takes 305 ms: Node gives up/,
  ],
  [
    'something that forgets connections after a minute',
    { rests: [rest(30), rest(75, DEAD), rest(300, DEAD)] },
    ['PTH-07'],
    'warn',
    /forgets a connection that rests for 75 s \(30 s are survived\)/,
  ],
  [
    'something that forgets connections before the next sign of life',
    { rests: [rest(10, DEAD)] },
    ['PTH-07'],
    'error',
    /rests for 10 s/,
  ],
  [
    'the master did not see our greeting',
    { links: [link(V6, { nonce: 'another' }), link(V4)] },
    ['PTH-13'],
    'error',
    /did not see the greeting/,
  ],
];

/** The same in the form of all faults. */
export const LINK_FAULTS = LINKS.map(
  ([title, given, roots, verdict]): [string, Case, string[], 'error' | 'warn'] => [
    title,
    { ...OPEN, ...given },
    roots,
    verdict,
  ],
);

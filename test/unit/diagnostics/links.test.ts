import { describe, expect, it } from 'vitest';
import type { RestFact } from '../../../src/diagnostics/facts/links.ts';
import { verdictOf } from '../../../src/diagnostics/verdicts.ts';
import { AT, link, name, peer, reply, report, target, tried, type Case } from './recorded.ts';

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';
const subjects = [target()];
const dual = { names: [name('ci.example', reply('answer', [V4]), reply('answer', [V6]))], subjects };
const open = [tried(V6, 'connected'), tried(V4, 'connected')];
const series = link(V6).series!;
const rest = (seconds: number, more: Partial<RestFact> = {}): RestFact => {
  return { address: V6, family: 6, seconds, first: 'master', alive: true, problem: null, ...more };
};
const dead = { alive: false, problem: 'no word of the master for 3 s' } as const;

const FAULTS: [
  title: string,
  given: Partial<Case>,
  roots: string[],
  verdict: 'error' | 'warn' | 'ok',
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
    { rests: [rest(30), rest(75, dead), rest(300, dead)] },
    ['PTH-07'],
    'warn',
    /forgets a connection that rests for 75 s \(30 s are survived\)/,
  ],
  [
    'something that forgets connections before the next sign of life',
    { rests: [rest(10, dead)] },
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

describe('what probes show of a connection', () => {
  it.each(FAULTS)('%s', async (_title, given, roots, verdict, words) => {
    const { report: got } = await report({ ...dual, attempts: open, ...given });
    const grave = got.findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map(({ id }) => id)).toEqual(roots);
    expect(grave[0]?.title).toMatch(words);
    expect(got.verdict).toBe(verdict);
  });

  it.each<[string, Partial<Case>]>([
    ['all is well', {}],
    ['every rest is survived', { rests: [rest(30), rest(75), rest(300)] }],
    [
      'a master answers no probes',
      { links: [link(V6, { able: false, series: null }), link(V4, { able: false, series: null })] },
    ],
    [
      'one slow handshake of five, which is a lost packet',
      {
        handshakes: [
          {
            address: V6,
            family: 6,
            attempts: [1_020, 2, 2, 2, 2].map((ms) => tried(V6, 'connected', { ms })),
          },
        ],
      },
    ],
  ])('is silent where %s', async (_title, given) => {
    const { report: got } = await report({ ...dual, attempts: open, ...given });
    expect(got.findings.filter(({ status }) => status !== 'info')).toEqual([]);
  });

  it('names a translated address as a fact', async () => {
    const links = [link(V6), link(V4, { localEnd: '192.168.7.2:4711' })];
    const { report: got } = await report({ ...dual, attempts: open, links });
    expect(got.findings).toMatchObject([{ id: 'PTH-13', status: 'info' }]);
    expect(got.findings[0]?.title).toContain('sees this host as 11.0.0.2');
  });

  it('says that rests were not tested, and never that they are well', async () => {
    const { report: got } = await report({ ...dual, attempts: open });
    expect(got.checks.find(({ id }) => id === 'PTH-07')).toMatchObject({
      status: 'skip',
      because: expect.stringContaining('--soak'),
    });
  });
});

describe('the rungs of echo, rest and witness', () => {
  const facts = {
    name: dual.names[0],
    sources: undefined,
    path: { at: AT, attempts: open, listensHere: null },
    peers: [peer(V6), peer(V4)],
    authentication: undefined,
  };
  const large = { bytes: 4_096, way: 'up' } as const;
  it.each([
    ['every address', [link(V6), link(V4)], undefined, { R7: 'ok', R8: 'not-tested', R9: 'ok' }, 'reachable'],
    ['one of two', [link(V6, {}, large), link(V4)], undefined, { R7: '1/2', R9: 'ok' }, 'degraded'],
    ['none', [link(V6, {}, large), link(V4, {}, large)], undefined, { R7: 'fail' }, 'unreachable'],
    ['a rest is not survived', [link(V6)], [rest(30), rest(75, dead)], { R8: '1/2' }, 'reachable'],
    ['no probes', [link(V6, { able: false, series: null })], undefined, { R7: 'not-tested' }, 'reachable'],
  ] as const)('%s', (_title, links, rests, rungs, verdict) => {
    expect(verdictOf(target(), 'here', { ...facts, links, rests })).toMatchObject({ verdict, rungs });
  });
});

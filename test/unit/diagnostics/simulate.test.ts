import { describe, expect, it } from 'vitest';
import { printFate, simulate, type ClientKind } from '../../../src/diagnostics/simulate.ts';
import { literal, name, reply, tried } from './recorded.ts';

const A = '11.0.0.1';
const A2 = '11.0.0.2';
const SIX = '2a00:1::1';
const dual = name('n', reply('answer', [A]), reply('answer', [SIX]));

const CASES: [
  title: string,
  given: Parameters<typeof simulate>,
  fates: Partial<Record<ClientKind, string>>,
][] = [
  [
    'all is well: IPv6, but for programs that ask A alone',
    [dual, [tried(SIX, 'connected'), tried(A, 'connected')]],
    {
      bbx: 'ok 2ms via 6',
      'node-default': 'ok 2ms via 6',
      'twisted-tcp': 'ok 2ms via 4',
      sequential: 'ok 2ms via 6',
    },
  ],
  [
    'a dead AAAA: those that go on get in late, those that wait wait two minutes',
    [dual, [tried(SIX, 'silent'), tried(A, 'connected')]],
    {
      bbx: 'ok 252ms via 4',
      'node-default': 'ok 252ms via 4',
      'twisted-tcp': 'ok 2ms via 4',
      'twisted-tls': 'ok 302ms via 4',
      sequential: 'ok 127002ms via 4',
      'curl/git': 'ok 202ms via 4',
    },
  ],
  [
    'a slow AAAA that works and a dead A: Node gives up too early (F55)',
    [dual, [tried(SIX, 'connected', { ms: 1_000 }), tried(A, 'silent')]],
    {
      bbx: 'ok 1000ms via 6',
      'node-default': 'fail (too slow, no answer)',
      'twisted-tcp': 'fail (no answer)',
    },
  ],
  [
    'AAAA alone',
    [name('n', reply('nodata'), reply('answer', [SIX])), [tried(SIX, 'connected')]],
    { bbx: 'ok 2ms via 6', 'twisted-tcp': 'fail (no A record)' },
  ],
  ['an IPv6 literal', [literal(SIX), [tried(SIX, 'connected')]], { 'twisted-tcp': 'ok 2ms via 6' }],
  [
    'twisted-tcp takes the first A alone',
    [
      name('n', reply('answer', [A, A2]), reply('nodata')),
      [tried(A, 'ECONNREFUSED'), tried(A2, 'connected')],
    ],
    { 'twisted-tcp': 'fail (ECONNREFUSED)', sequential: 'ok 4ms via 4' },
  ],
  [
    'nobody answers',
    [dual, [tried(SIX, 'ECONNREFUSED'), tried(A, 'ECONNREFUSED')]],
    { bbx: 'fail (ECONNREFUSED)', 'curl/git': 'fail (ECONNREFUSED)' },
  ],
  [
    'an address that was not measured',
    [dual, [tried(SIX, 'silent')]],
    { bbx: 'unknown', 'twisted-tcp': 'unknown' },
  ],
];

describe('who would get in', () => {
  it.each(CASES)('%s', (_title, given, fates) => {
    const got = simulate(...given);
    for (const [kind, text] of Object.entries(fates))
      expect(`${kind} ${printFate(got[kind as ClientKind])}`).toBe(`${kind} ${text}`);
  });
});

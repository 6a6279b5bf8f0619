import { BOTH, name, ONLY4, reply, target, tried } from './recorded.ts';
import { policy } from './recorded-system.ts';
import { dual, type Fault, open4, open6, subjects, V4, v4only, V6 } from './usual.ts';

const refusing = [tried(V6, 'ECONNREFUSED'), tried(V4, 'connected')];

/** Faults of the way to an address. */
export const PATH_FAULTS: Fault[] = [
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
    'a link-local literal with the zone of no interface',
    { subjects: [target('[fe80::1%nope0]:9989')], attempts: [tried('fe80::1%nope0', 'silent')] },
    ['PTH-08'],
    'error',
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
];

import type { SeriesFact } from '../../../src/diagnostics/facts/trouble.ts';
import { peer, tried } from './recorded.ts';
import { dual, type Fault, open4, open6, subjects, V4, v4only, V6 } from './usual.ts';

/** Twenty connections: the given times first, the rest of 2 ms. */
export function series(
  address: string,
  times: readonly (number | 'silent' | 'ECONNREFUSED')[],
  heldUpMs = 0,
): SeriesFact {
  return {
    address,
    family: address.includes(':') ? 6 : 4,
    heldUpMs,
    attempts: Array.from({ length: 20 }, (_, index) => {
      const ms = times[index] ?? 2;
      return typeof ms === 'string' ? tried(address, ms) : tried(address, 'connected', { ms });
    }),
  };
}

const silent6 = tried(V6, 'silent');
const silent4 = tried(V4, 'silent');
const web = [peer(V6, { kind: 'http', instance: null }), peer(V4, { kind: 'http', instance: null })];

/** Faults of what is asked only where something is wrong already. */
export const TROUBLE_FAULTS: Fault[] = [
  [
    'two of twenty connections that lost a packet',
    { names: [v4only], subjects, attempts: [open4], trouble: { series: [series(V4, [1_020, 1_003])] } },
    ['PTH-10'],
    'warn',
  ],
  [
    'two of twenty that never came up',
    { names: [v4only], subjects, attempts: [open4], trouble: { series: [series(V4, ['silent', 'silent'])] } },
    ['PTH-10'],
    'warn',
  ],
  [
    'a way whose times differ by hundreds of ms',
    { names: [v4only], subjects, attempts: [open4], trouble: { series: [series(V4, [240, 310, 270])] } },
    ['PTH-10'],
    'warn',
  ],
  [
    'something that answers for every host, as a web server',
    {
      names: [dual],
      subjects,
      attempts: [open6, open4],
      peers: web,
      trouble: { nobody: [tried('2001:db8::1', 'silent'), tried('192.0.2.1', 'connected')] },
    },
    ['PRX-08'],
    'error',
  ],
  [
    'something that takes every connection and never speaks',
    {
      names: [v4only],
      subjects,
      attempts: [open4],
      peers: [peer(V4, { kind: 'silent', instance: null, ms: 3_000 })],
      trouble: { nobody: [tried('192.0.2.1', 'connected')] },
    },
    ['PRX-08'],
    'error',
  ],
  [
    'a web server on the port, where nobody answers for others',
    {
      names: [dual],
      subjects,
      attempts: [open6, open4],
      peers: web,
      trouble: { nobody: [tried('2001:db8::1', 'silent'), tried('192.0.2.1', 'ENETUNREACH')] },
    },
    ['PRO-01'],
    'error',
  ],
  [
    'silence, and ping is answered',
    {
      names: [v4only],
      subjects,
      attempts: [silent4],
      trouble: { pings: [{ address: V4, family: 4, outcome: 'answered', ms: 3.1, said: '' }] },
    },
    ['PTH-01'],
    'error',
  ],
  [
    'silence, and mtr sees the way as far as a router',
    {
      names: [dual],
      subjects,
      attempts: [silent6, silent4],
      trouble: {
        traces: [
          { address: V6, family: 6, hops: ['2a00:1::1', null, '2a00:9::1', null], problem: null },
          { address: V4, family: 4, hops: [], problem: 'Failure to open IPv4 sockets' },
        ],
      },
    },
    ['PTH-01'],
    'error',
  ],
];

/** As it is on good ways. */
export const TROUBLE_CONTROLS: [title: string, given: Fault[1]][] = [
  [
    'one lost packet of twenty, and one that was late',
    { names: [v4only], subjects, attempts: [open4], trouble: { series: [series(V4, [1_040, 400])] } },
  ],
  [
    'times that this process itself slept through',
    {
      names: [v4only],
      subjects,
      attempts: [open4],
      trouble: { series: [series(V4, [700, 690, 710, 720], 700)] },
    },
  ],
  [
    'a way that is slow each time, and steady',
    {
      names: [v4only],
      subjects,
      attempts: [open4],
      trouble: {
        series: [
          series(
            V4,
            Array.from({ length: 20 }, (_, index) => 180 + index),
          ),
        ],
      },
    },
  ],
];

/** Checks that only tell a fact, beside a fault of another. */
export const TROUBLE_FACTS = [['PTH-11'], ['PTH-12']] as const;

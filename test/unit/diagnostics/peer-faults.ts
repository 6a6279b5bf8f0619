import { peer, target } from './recorded.ts';
import { dual, type Fault, open4, open6, subjects, V4, V6 } from './usual.ts';

/** Faults of who answers. */
export const PEER_FAULTS: Fault[] = [
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
];

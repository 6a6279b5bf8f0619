import { BOTH, heard, listener, peer, row, target, tried } from './recorded.ts';
import { type Fault } from './usual.ts';

/** Faults of what listens. */
export const LISTENER_FAULTS: Fault[] = [
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
    'a program that binds localhost and gets ::1',
    {
      subjects: [listener('localhost:9989', { state: 'given' })],
      listener: heard({
        rows: [row('::1')],
        attempts: [tried('::1', 'connected'), tried('127.0.0.1', 'ECONNREFUSED')],
      }),
    },
    ['LSN-09'],
    'warn',
  ],
  [
    'a web port that is open to the internet',
    {
      subjects: [listener('[::]:8010', { plane: 'web' })],
      listener: heard({ rows: [row('::', '1', 8010)] }),
    },
    ['LSN-10'],
    'warn',
  ],
  [
    'a listener that never accepts',
    { subjects: [listener()], listener: heard({ unaccepted: 2 }) },
    ['LSN-11'],
    'error',
  ],
  [
    'a listener whose queue is full',
    {
      subjects: [listener()],
      listener: heard({ unaccepted: 512, attempts: [tried('127.0.0.1', 'silent'), tried('::1', 'silent')] }),
    },
    ['LSN-11'],
    'error',
  ],
];

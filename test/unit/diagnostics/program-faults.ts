import { AT, BOTH, disk, heard, listener, ONLY6, program, row, target, tried } from './recorded.ts';
import { policy, running } from './recorded-system.ts';
import { dual, type Fault, inUnit, unit, V4, V6 } from './usual.ts';

const RULE = { chain: 'inet filter output', handle: 7 };

/** Faults of programs, their disks and store, their units and limits. */
export const PROGRAM_FAULTS: Fault[] = [
  [
    'builds as a user that is not there',
    {
      subjects: [program({ runAs: 'nosuch' })],
      runAs: { at: AT, user: 'nosuch', state: 'missing', closed: null, unseen: null },
    },
    ['RUN-01'],
    'warn',
  ],
  [
    'builds as root',
    {
      subjects: [program({ runAs: 'root', running: false })],
      runAs: { at: AT, user: 'root', state: 'root', closed: null, unseen: null },
    },
    ['RUN-01'],
    'warn',
  ],
  [
    'builds as a user that cannot reach the worker',
    {
      subjects: [program({ runAs: 'ci' })],
      runAs: { at: AT, user: 'ci', state: 'known', closed: '/root', unseen: null },
    },
    ['RUN-01'],
    'warn',
  ],
  [
    'a full disk',
    { subjects: [program()], disks: { at: AT, disks: [disk({ freeBytes: 4_096 })], unseen: [] } },
    ['DSK-01'],
    'error',
  ],
  [
    'a disk without room for another file',
    { subjects: [program()], disks: { at: AT, disks: [disk({ freeFiles: 0 })], unseen: [] } },
    ['DSK-01'],
    'error',
  ],
  [
    'a disk that is nearly full',
    { subjects: [program()], disks: { at: AT, disks: [disk({ freeBytes: 1 << 30 })], unseen: [] } },
    ['DSK-01'],
    'warn',
  ],
  [
    'a store that is away',
    {
      subjects: [program({ role: 'master', store: 'postgres://db/bbx' })],
      store: {
        at: AT,
        store: 'postgres://db/bbx',
        ms: 3,
        error: {
          code: 'BBX-STO-AWAY',
          message: 'Cannot reach store "postgres://db/bbx": it starts',
          hint: null,
        },
      },
    },
    ['STO-01'],
    'error',
  ],
  [
    'a slow store',
    {
      subjects: [program({ role: 'master', store: 'postgres://db/bbx' })],
      store: { at: AT, store: 'postgres://db/bbx', ms: 2_500, error: null },
    },
    ['STO-01'],
    'warn',
  ],
  [
    'a shell with few files',
    { subjects: [], system: { ownProcess: running({ fileLimit: 25 }) } },
    ['LIM-01'],
    'error',
  ],
  [
    'a master that has used its files up',
    {
      subjects: [program({ role: 'master' })],
      system: { process: running({ where: 'the master in .', fileLimit: 1_024, openFiles: 1_000 }) },
    },
    ['LIM-01'],
    'error',
  ],
  [
    'no port left toward a host',
    {
      subjects: [target(`${V4}:9989`)],
      attempts: [tried(V4, 'EADDRNOTAVAIL', { local: true })],
      system: {
        limits: {
          ports: { from: 40_000, to: 40_003, listening: 0, busiest: { remote: `${V4}:9989`, count: 4 } },
        },
      },
    },
    ['LIM-02'],
    'error',
  ],
  [
    'no port left for anybody, since programs listen on all of them',
    {
      subjects: [target(`${V4}:9989`)],
      attempts: [tried(V4, 'EADDRNOTAVAIL', { local: true })],
      system: { limits: { ports: { from: 40_000, to: 40_001, listening: 2, busiest: null } } },
    },
    ['LIM-02'],
    'error',
  ],
  [
    "a packet filter's table that is nearly full",
    { subjects: [], system: { limits: { flows: { count: 62_000, most: 65_536 } } } },
    ['LIM-03'],
    'warn',
  ],
  [
    'a packet filter that forgets soon',
    { subjects: [], system: { limits: { flows: { count: 5, most: 65_536 }, flowSeconds: 30 } } },
    ['LIM-04'],
    'warn',
  ],
  [
    'Node without certificates',
    {
      subjects: [],
      system: { policy: policy({ node: [{ text: 'NODE_TLS_REJECT_UNAUTHORIZED=0', where: 'this shell' }] }) },
    },
    ['LIM-07'],
    'warn',
  ],
  [
    'a unit that failed',
    inUnit({ ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', ExecMainStatus: '7' }),
    ['SVC-01'],
    'error',
  ],
  ['a unit that is restarted for ever', inUnit({ NRestarts: '41' }), ['SVC-01'], 'warn'],
  ['a unit that nobody enabled', inUnit({ UnitFileState: 'disabled' }), ['SVC-01'], 'warn'],
  ['a unit without IPv6', inUnit({ RestrictAddressFamilies: 'AF_UNIX AF_INET' }), ['SVC-02'], 'warn'],
  [
    'a unit without IPv6 where it is meant',
    inUnit({ RestrictAddressFamilies: '~AF_INET6' }, { intent: ONLY6 }),
    ['SVC-02'],
    'error',
  ],
  ['a unit with a network of its own', inUnit({ PrivateNetwork: 'yes' }), ['SVC-02'], 'error'],
  [
    'a unit that starts before its address is there',
    {
      ...inUnit({ After: 'basic.target' }),
      subjects: [program({ role: 'master' }), listener('11.0.0.2:9989')],
      listener: heard({ rows: [row('11.0.0.2')], attempts: [tried('11.0.0.2', 'connected')] }),
    },
    ['SVC-03'],
    'warn',
  ],
  ['a socket unit beside it', inUnit({ TriggeredBy: 'bbx-master.socket' }), ['SVC-04'], 'warn'],
  [
    'a unit of another user',
    {
      subjects: [program({ role: 'master' })],
      system: { service: { ...unit({}), runner: { name: 'www-data', uid: 33 } } },
    },
    ['SVC-05'],
    'error',
  ],
  [
    'a program in another network',
    { subjects: [program()], system: { network: 'net:[2]' } },
    ['SVC-06'],
    'warn',
  ],
  [
    "this host's own packet filter stops what goes out",
    {
      names: [dual],
      subjects: [target()],
      attempts: [tried(V6, 'silent'), tried(V4, 'silent')],
      system: { filter: ({ hook }) => (hook === 'output' ? { fate: 'dropped', by: RULE } : {}) },
    },
    ['SVC-07'],
    'error',
  ],
  [
    "this host's own packet filter stops IPv6 alone",
    {
      names: [dual],
      subjects: [target()],
      attempts: [tried(V6, 'ECONNREFUSED'), tried(V4, 'connected')],
      intent: BOTH,
      system: { filter: ({ family }) => (family === 6 ? { fate: 'rejected', by: RULE } : {}) },
    },
    ['SVC-07'],
    'error',
  ],
  [
    "this host's own packet filter lets nobody in where workers are to come",
    {
      subjects: [listener('[::]:9989', { reach: ['ci.example:9989'] })],
      system: {
        filter: () => ({ fate: 'dropped', by: { chain: 'inet filter input', handle: null } }),
      },
    },
    ['SVC-07'],
    'error',
  ],
  [
    "this host's own packet filter lets nobody in to a port of whoever it is",
    {
      subjects: [listener('[::]:8010', { state: 'given', plane: 'other' })],
      system: { filter: () => ({ fate: 'dropped', by: RULE }) },
    },
    ['SVC-07'],
    'warn',
  ],
  [
    'a control group that is full of processes',
    {
      subjects: [],
      system: { room: { tasks: { group: '/sys/fs/cgroup/ci', most: 100, used: 97 } } },
    },
    ['LIM-06'],
    'error',
  ],
  [
    'a control group that has little memory left',
    {
      subjects: [program({ role: 'master' })],
      system: {
        process: running({ where: 'the master in .', unit: 'bbx-master.service' }),
        // The shell's own group is the same, and is told of once.
        room: { memory: { group: '/sys/fs/cgroup/ci', most: 1 << 30, used: (1 << 30) - 1_000 } },
      },
    },
    ['LIM-06'],
    'warn',
  ],
  [
    'processes that the kernel has ended for lack of memory',
    {
      subjects: [program({ role: 'worker' })],
      system: { process: running({ where: 'the worker in .' }), room: { killed: 3 } },
    },
    ['LIM-06'],
    'warn',
  ],
  [
    'a clock that was set while it was watched',
    { subjects: [], system: { clockMoves: { watched: 30, jumped: -3_600 } } },
    ['CLK-03'],
    'warn',
  ],
  [
    'a host that slept while it was watched',
    { subjects: [], system: { clockMoves: { watched: 300, slept: 240, sleptInAll: 240 } } },
    ['CLK-03'],
    'warn',
  ],
];

import type {
  BuilderObject,
  BuildObject,
  RequestObject,
  StatusObject,
  StepObject,
  WorkerObject,
} from '../../src/api/objects.ts';

/** Objects of the API with dull defaults, so that a test writes only what it is about. */

export const aStep = (of: Partial<StepObject> = {}): StepObject => ({
  stepid: 1,
  buildid: 1,
  number: 0,
  name: 'test',
  started_at: 1_700_000_001,
  complete_at: 1_700_000_003.5,
  complete: true,
  results: 0,
  result: 'success',
  state_string: 'finished',
  rc: 0,
  signal: null,
  logs: [
    {
      ...{ logid: 1, stepid: 1, name: 'stdio', bytes: 6, complete: true, pruned: false },
      ...{ lines: 1, sha256: 'ab'.repeat(32), receipt: 'verified', cut: 0 },
    },
  ],
  ...of,
});

export const aBuild = (of: Partial<BuildObject> = {}): BuildObject => ({
  buildid: 1,
  builderid: 1,
  builder: 'app',
  number: 12,
  buildrequestid: 17,
  worker: 'w1',
  attempt: 1,
  complete: true,
  results: 0,
  result: 'success',
  started_at: 1_700_000_000,
  complete_at: 1_700_000_004,
  state_string: 'build successful',
  reason: 'forced',
  branch: 'main',
  revision: '4d5e6f0a1b2c3d4e5f60718293a4b5c6d7e8f901',
  properties: {},
  ...of,
});

export const aRequest = (of: Partial<RequestObject> = {}): RequestObject => ({
  buildrequestid: 17,
  buildsetid: 1,
  builderid: 1,
  builder: 'app',
  priority: 0,
  submitted_at: 1_700_000_000,
  claimed: false,
  complete: false,
  results: null,
  result: null,
  complete_at: null,
  cancel_reason: null,
  reason: 'forced',
  branch: 'main',
  revision: null,
  builds: [],
  ...of,
});

export const aWorker = (of: Partial<WorkerObject> = {}): WorkerObject => ({
  workerid: 1,
  name: 'w1',
  state: 'approved',
  connected: true,
  attached: true,
  paused: false,
  draining: false,
  tags: ['linux'],
  maxBuilds: 2,
  running: 1,
  fingerprint: 'sha256:abc',
  peer: '[::1]:40000',
  last_seen_at: 1_700_000_000,
  facts: { system: 'linux' },
  notes: [],
  ...of,
});

export const aBuilder = (of: Partial<BuilderObject> = {}): BuilderObject => ({
  builderid: 1,
  name: 'app',
  active: true,
  tags: ['x64'],
  workers: ['w1'],
  pending: 0,
  running: 1,
  last: { number: 12, result: 'success', complete_at: 1_700_000_004 },
  ...of,
});

export const aStatus = (of: Partial<StatusObject> = {}): StatusObject => ({
  title: 'test farm',
  version: '0.1.0',
  epoch: 'e1',
  started_at: 1_700_000_000,
  listening: { workers: ['[::]:9989'], web: ['[::1]:8010', '127.0.0.1:8010'] },
  reach: ['farm.example:9989'],
  draining: false,
  config: { file: '/farm/master.yaml', loaded_at: 1_700_000_000, error: null, changed: false },
  workers: [aWorker()],
  running: [],
  pending: [],
  lists: { stale: false, read_at: 1_700_000_009 },
  trouble: [],
  ...of,
});

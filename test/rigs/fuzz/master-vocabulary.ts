import type { BuildPlan } from '../../../src/build/plan.ts';
import type { MasterMessage } from '../../../src/protocol/bbx/messages.ts';
import { below, pick } from './mutate.ts';
import { base64, sometimes, type Words } from './words.ts';

/** What a master says, message by message. */
export const MASTER_WORDS: Words<MasterMessage> = {
  greeting: () => ({
    ...{ type: 'greeting', version: 1, software: 'fuzz', instance: 'sha256:x', publicKey: base64(91) },
    ...{ challenge: base64(32), epoch: 'e', signature: base64(70), time: 1, capabilities: CAPABILITIES },
  }),
  refused: (random) => ({
    ...{ type: 'refused', reason: pick(random, REASONS), message: 'no' },
    ...sometimes(random, { retryAfter: 5 }),
  }),
  accepted: () => ({ type: 'accepted', session: 's', peer: '[::1]:1', reach: ['host:9989'], pins: ['x'] }),
  resume: (random, lease) => ({
    ...{ type: 'resume', ...lease, sequence: below(random, 3) },
    logs: random() < 0.5 ? [{ step: 0, log: 'stdio', bytes: below(random, 500) }] : [],
  }),
  drop: (_, lease) => ({ type: 'drop', ...lease, why: 'over' }),
  assign: (random, lease) => ({
    ...{ type: 'assign', ...lease, plan: PLAN, secrets: { s: 'x' } },
    orphanAfter: random() < 0.5 ? 30 : null,
  }),
  cancel: (_, lease) => ({ type: 'cancel', ...lease, why: 'somebody asked' }),
  ack: (random, lease) => ({
    ...{ type: 'ack', ...lease, sequence: below(random, 6) },
    streams: random() < 0.7 ? [{ stream: 1 + below(random, 3), offset: below(random, 2_000) }] : [],
  }),
  pause: (random, lease) => ({ type: 'pause', ...lease, stream: 1 + below(random, 3) }),
  proceed: (random, lease) => ({
    ...{ type: 'proceed', ...lease, stream: 1 + below(random, 3), offset: below(random, 4) * 400 },
  }),
  settings: (random) => ({ type: 'settings', paused: random() < 0.2, reach: ['host:9989'], pins: ['x'] }),
  historyStored: (random) => ({ type: 'historyStored', number: below(random, 300) }),
  dial: (random) => ({
    ...{ type: 'dial', id: below(random, 3) },
    ...sometimes(random, { places: [{ host: 'host', port: 80 }] }),
  }),
  bye: (random) => ({
    ...{ type: 'bye', reason: pick(random, ['replaced', 'stopping', 'removed'] as const), message: 'bye' },
  }),
  echoed: (random) => ({ type: 'echoed', id: 1 + below(random, 3), payload: base64(3) }),
  pushed: (random) => ({ type: 'pushed', id: 1 + below(random, 3), bytes: 1 }),
  pulled: (random) => ({ type: 'pulled', id: 1 + below(random, 3), payload: base64(1) }),
  witnessed: (random) => ({
    ...{ type: 'witnessed', id: 1 + below(random, 3), nonce: base64(32), peer: '[::1]:1', bytes: 9 },
  }),
  held: (random) => ({ type: 'held', id: 1 + below(random, 3) }),
};

const CAPABILITIES = ['history', 'probes'];
const REASONS = [
  ...(['version', 'identity', 'pending', 'expired'] as const),
  ...(['alternating', 'busy', 'malformed', 'removed'] as const),
];

const OPTIONS = {
  ...{ haltOnFailure: true, flunkOnFailure: true, flunkOnWarnings: false, warnOnFailure: false },
  ...{ warnOnWarnings: true, alwaysRun: false, sigtermTimeMs: 5_000, workdir: '.' },
};
const PLAN: BuildPlan = {
  ...{ builder: 'b', number: 1, builddir: 'b', env: { A: 'x', B: { secret: 's' } } },
  properties: { a: 'x', b: 1, c: true, d: null },
  steps: [
    {
      ...{ kind: 'shell', name: 's', command: 'true', env: { A: 'x', B: { secret: 's' } } },
      decodeRC: {
        ...{ '0': 'success', '1': 'warnings', '2': 'failure', '3': 'skipped', '4': 'exception' },
      },
      ...{ ...OPTIONS, timeoutMs: 1_000, maxTimeMs: null, logMax: { bytes: 1_000, tailBytes: 10 } },
    },
    {
      ...{ kind: 'shell', name: 't', command: ['true', 'x'], env: {}, decodeRC: {} },
      ...{ ...OPTIONS, timeoutMs: null, maxTimeMs: 1_000, logMax: null },
    },
    {
      ...{ kind: 'git', name: 'g', repository: 'r', branch: 'main', revision: null, mode: 'full' },
      ...{ submodules: false, shallow: 1, credentials: { secret: 's' } },
      ...{ ...OPTIONS, timeoutMs: null, maxTimeMs: null, logMax: { bytes: 1, tailBytes: 1 } },
    },
    {
      ...{ kind: 'git', name: 'h', repository: 'r', branch: null, revision: 'f00', mode: 'incremental' },
      ...{ submodules: true, shallow: null, credentials: null },
      ...{ ...OPTIONS, timeoutMs: 1_000, maxTimeMs: 1_000, logMax: null },
    },
    {
      ...{ kind: 'git', name: 'i', repository: 'r', branch: null, revision: null, mode: 'clean' },
      ...{ submodules: true, shallow: null, credentials: null },
      ...{ ...OPTIONS, timeoutMs: 1_000, maxTimeMs: 1_000, logMax: null },
    },
  ],
};

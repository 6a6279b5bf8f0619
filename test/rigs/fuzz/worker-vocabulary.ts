import type { ProgressEvent } from '../../../src/build/progress.ts';
import type { DialledAddress, DialledWay } from '../../../src/protocol/bbx/dial-facts.ts';
import type { LinkFact, LinkRecord } from '../../../src/protocol/bbx/link-facts.ts';
import type { WorkerMessage } from '../../../src/protocol/bbx/messages.ts';
import { below, pick, type Random } from './mutate.ts';
import { base64, sometimes, type Words } from './words.ts';

/** What a worker says, message by message. */
export const WORKER_WORDS: Words<WorkerMessage> = {
  hello: () => ({ type: 'hello', versions: [1], software: 'fuzz', nonce: base64(32) }),
  authenticate: (random) => ({
    ...{ type: 'authenticate', name: 'w1', publicKey: base64(44), signature: base64(64), boot: 'b' },
    ...{ probe: random() < 0.2, ...sometimes(random, { secret: 's' }) },
  }),
  inventory: (random, lease) => ({
    ...{ type: 'inventory', maxBuilds: 2, facts: { os: 'linux' }, draining: random() < 0.2 },
    ...sometimes(random, { clock: { ahead: 1, within: 0.1 } }),
    builds: [{ ...lease, epoch: 'e', state: pick(random, ['running', 'finished']) }],
    ...sometimes(random, { aside: [{ build: 3, epoch: 'f', name: 'demo/17' }] }),
    ...(random() < 0.8 ? { capabilities: ['pause', 'dial'] } : {}),
  }),
  state: (random) => ({ type: 'state', draining: random() < 0.5, notes: ['disk full'] }),
  assigned: (random, lease) =>
    random() < 0.9
      ? { type: 'assigned', ...lease, accepted: true }
      : { type: 'assigned', ...lease, accepted: false, why: 'full' },
  progress: (random, lease) => ({
    ...{ type: 'progress', ...lease, sequence: 1 + below(random, 4), event: pick(random, EVENTS) },
  }),
  open: (random, lease) => ({
    ...{ type: 'open', ...lease, stream: below(random, 20), step: below(random, 3), log: 'stdio', offset: 0 },
  }),
  paused: (random, lease) => ({ type: 'paused', ...lease, stream: below(random, 20) }),
  abandoned: (_, lease) => ({ type: 'abandoned', ...lease, why: 'disk' }),
  history: (random) => ({
    type: 'history',
    records: Array.from({ length: 1 + below(random, 3) }, () => recordOf(random)),
  }),
  dialled: (random) => ({
    ...{ type: 'dialled', id: below(random, 3), ways: [wayOf(random)] },
    ...sometimes(random, { places: [wayOf(random)] }),
  }),
  echo: (random) => ({ type: 'echo', id: below(random, 5), payload: base64(3 * below(random, 50)) }),
  push: (random) => ({ type: 'push', id: below(random, 5), payload: base64(3 * below(random, 50)) }),
  pull: (random) => ({ type: 'pull', id: below(random, 5), bytes: 1 + below(random, 60) }),
  witness: (random) => ({ type: 'witness', id: below(random, 5) }),
  hold: (random) => ({
    ...{ type: 'hold', id: below(random, 5), seconds: 0.5 + random() },
    by: pick(random, ['worker', 'master'] as const),
  }),
};

const LOG = { name: 'stdio', bytes: 0, sha256: '' };
const EVENTS: readonly ProgressEvent[] = [
  { type: 'buildStarted', at: 1, workdir: '/w' },
  { type: 'stepStarted', at: 2, step: 0, name: 's' },
  {
    ...{ type: 'stepFinished', at: 3, step: 0, results: 0, state: 'finished', logs: [{ ...LOG, cut: 1 }] },
    ...{ rc: 0, signal: null, properties: { a: 1, b: 'x', c: true, d: null } },
  },
  {
    ...{ type: 'stepFinished', at: 3, step: 0, results: 2, state: 'killed', logs: [LOG] },
    ...{ rc: null, signal: 'SIGKILL', properties: {} },
  },
  { type: 'buildFinished', at: 4, results: 0, state: 'build successful' },
];

const PULSE = { kind: 'pulse', pings: 4, missed: 1 } as const;
const FACTS: readonly LinkFact[] = [
  { kind: 'began', software: 'fuzz' },
  { kind: 'began', software: 'fuzz', adopted: 2 },
  { kind: 'ended' },
  { kind: 'failed', target: 'host:9989', code: 'BBX-NET-REFUSED', got: 'ECONNREFUSED', times: 3 },
  {
    ...{
      kind: 'up',
      target: 'host:9989',
      peer: '[::1]:9989',
      local: '[::1]:4',
      seen: '[::1]:4',
      session: 's',
    },
    ms: 12,
  },
  ...(['worker', 'master', 'nobody'] as const).map((by) => ({
    ...({ kind: 'down', session: 's', by, code: 1006, reason: 'gone', silentMs: 1, lastedMs: 2 } as const),
  })),
  { ...PULSE, minMs: 1, medianMs: 2, maxMs: 3 },
  { ...PULSE, minMs: null, medianMs: null, maxMs: null },
  { kind: 'clock', by: -3_600 },
  { kind: 'slept', seconds: 60 },
  { kind: 'stalled', seconds: 9 },
];

/** A record of a worker's history. */
export function recordOf(random: Random, number = 1 + below(random, 100)): LinkRecord {
  return { number, boot: 'b', at: 1, ago: random() < 0.5 ? 5 : null, fact: pick(random, FACTS) };
}

/** A way that was tried, with all that can be said of it. */
export function wayOf(random: Random): DialledWay {
  return {
    ...{ target: 'host:9989', host: 'host', port: 9_989, behindHops: random() < 0.1 },
    lookups: [
      { family: 6, addresses: ['::1'], errno: null, ms: 1 },
      { family: 4, addresses: ['127.0.0.1'], errno: 'ENOTFOUND', ms: 1 },
    ],
    addresses: [addressOf(random)],
    raced: random() < 0.5 ? { peer: '[::1]:9989', ms: 1 } : null,
  };
}

function addressOf(random: Random): DialledAddress {
  const some = <Value>(value: Value) => (random() < 0.7 ? value : null);
  const outcome = pick(random, ['connected', 'failed', 'silent'] as const);
  return {
    ...{ address: '::1', family: pick(random, [4, 6] as const), port: 9_989, outcome, ms: 1 },
    ...{ errno: some('ECONNREFUSED'), local: random() < 0.5 },
    met: some({
      ...{ nonce: some(base64(32)), instance: some('sha256:x'), tls: true, code: some('BBX-PRO-BUSY') },
      ...{ problem: some('busy'), localEnd: '[::1]:4', ms: 2 },
      series: some({
        sizes: [{ bytes: 1, upMs: some(1), downMs: some(1) }],
        stalled: some({ bytes: 1_300, way: pick(random, ['up', 'down'] as const), afterMs: 3_000 }),
        seen: some({ nonce: base64(32), peer: '[::1]:4', bytes: 300 }),
        rested: some({ restMs: 250, downMs: some(1), upMs: some(1) }),
      }),
    }),
  };
}

import { createHash } from 'node:crypto';
import type { ProgressEvent } from '../../../src/build/progress.ts';
import { encodeLogFrame } from '../../../src/protocol/bbx/codec.ts';
import type { Lease } from '../../../src/protocol/bbx/lease.ts';
import { below, mutateScript, pick, type Part, type Random } from './mutate.ts';
import { say } from './words.ts';
import { WORKER_WORDS } from './worker-vocabulary.ts';

/** What a good worker says after `accepted` about the builds that it has: any order between builds, the right order within each. */
export function workerWords(random: Random, leases: readonly Lease[]): Part[] {
  const builds = leases.map((lease) => ({ ...lease, epoch: 'e', state: 'running' }));
  const parts = [say({ ...WORKER_WORDS.inventory(random, leases[0]!), builds })];
  const rows = leases.map((lease, index) => wordsOf(random, lease, index * 10));
  for (let count = below(random, 3); count > 0; count -= 1) rows.push(asides(random));
  while (rows.some((row) => row.length > 0)) {
    const row = pick(random, rows);
    const next = row.shift();
    if (next !== undefined) parts.push(next);
  }
  return parts;
}

/** What is not about a build. */
function asides(random: Random): Part[] {
  const lease = { build: 1, token: '' };
  const type = pick(random, ['state', 'history', 'dialled', 'echo', 'push'] as const);
  const word = say(WORKER_WORDS[type](random, lease));
  return type === 'push' ? [word, say({ ...WORKER_WORDS.pull(random, lease), bytes: 1 })] : [word];
}

/** What may be asked before anybody is let in. */
export function probeWords(random: Random): Part[] {
  const lease = { build: 1, token: '' };
  return Array.from({ length: 1 + below(random, 5) }, () => {
    const type = pick(random, ['echo', 'push', 'pull', 'witness', 'hold'] as const);
    return say(WORKER_WORDS[type](random, lease));
  });
}

function wordsOf(random: Random, lease: Lease, firstStream: number): Part[] {
  const parts = [say(WORKER_WORDS.assigned(random, lease))];
  let sequence = 0;
  const tell = (event: ProgressEvent) => {
    sequence += 1;
    parts.push(say({ ...WORKER_WORDS.progress(random, lease), sequence, event }));
  };
  tell({ type: 'buildStarted', at: 1, workdir: '/w' });
  const steps = 1 + below(random, 3);
  for (let step = 0; step < steps; step += 1) {
    tell({ type: 'stepStarted', at: 2, step, name: `s${step}` });
    const stream = firstStream + step;
    const pieces = Array.from({ length: below(random, 4) }, () => Buffer.alloc(1 + below(random, 300), 'x'));
    if (pieces.length > 0) parts.push(say({ ...WORKER_WORDS.open(random, lease), stream, step }));
    let offset = 0;
    for (const payload of pieces) {
      const channel = pick(random, ['stdout', 'stderr', 'header'] as const);
      parts.push({ bytes: encodeLogFrame({ stream, channel, offset, at: 2, payload }) });
      offset += payload.length;
      // Whether it was asked for is not known here, as it is not to a worker that lies.
      if (random() < 0.02) parts.push(say({ ...WORKER_WORDS.paused(random, lease), stream }));
    }
    const sha256 = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
    const logs = pieces.length > 0 ? [{ name: 'stdio', bytes: offset, sha256 }] : [];
    tell({
      ...{ type: 'stepFinished', at: 3, step, results: 0, state: 'finished', logs },
      ...{ rc: 0, signal: null, properties: { a: 1 } },
    });
  }
  if (random() < 0.1) parts.push(say(WORKER_WORDS.abandoned(random, lease)));
  else tell({ type: 'buildFinished', at: 4, results: 0, state: 'build successful' });
  return parts;
}

/** What a worker answers to `pause` and `proceed`: mostly what is right. */
export function restWords(random: Random, text: string): Part[] {
  const { type, offset, ...rest } = JSON.parse(text) as { type: string; stream: number; offset: number };
  const right: Part =
    type === 'pause'
      ? say({ ...rest, type: 'paused' })
      : {
          bytes: encodeLogFrame({
            ...rest,
            channel: 'stdout',
            offset,
            at: 2,
            payload: Buffer.alloc(50, 'x'),
          }),
        };
  return random() < 0.9 ? [right] : mutateScript(random, [right, right]);
}

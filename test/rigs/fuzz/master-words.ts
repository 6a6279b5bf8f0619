import type { Lease } from '../../../src/protocol/bbx/lease.ts';
import { below, pick, type Part, type Random } from './mutate.ts';

const say = (message: object): Part => ({ text: JSON.stringify(message) });

/** What a good master says after `accepted` to a worker that has these builds. */
export function masterWords(random: Random, leases: readonly Lease[]): Part[] {
  const parts: Part[] = leases.map((lease) =>
    random() < 0.1
      ? say({ type: 'drop', ...lease, why: 'over' })
      : say({
          type: 'resume',
          ...lease,
          sequence: below(random, 3),
          logs: random() < 0.5 ? [{ step: 0, log: 'stdio', bytes: below(random, 500) }] : [],
        }),
  );
  parts.push(say({ type: 'settings', paused: false, reach: ['host:9989'], pins: [] }));
  for (let count = 2 + below(random, 8); count > 0; count -= 1) {
    const lease = pick(random, leases);
    const next = pick<() => Part | Part[]>(random, [
      () => {
        const streams = [{ stream: 1 + below(random, 3), offset: below(random, 2_000) }];
        return say({ type: 'ack', ...lease, sequence: below(random, 6), streams });
      },
      () => say({ type: 'ack', ...lease, sequence: 5, streams: [] }),
      () => say({ type: 'pause', ...lease, stream: 1 + below(random, 3) }),
      () => say({ type: 'proceed', ...lease, stream: 1 + below(random, 3), offset: below(random, 1_300) }),
      () => {
        const stream = 1 + below(random, 3);
        return [
          say({ type: 'pause', ...lease, stream }),
          say({ type: 'proceed', ...lease, stream, offset: below(random, 3) * 400 }),
        ];
      },
      () => say({ type: 'cancel', ...lease, why: 'somebody asked' }),
      () => assign({ build: 100 + below(random, 5), token: `1-${'b'.repeat(16)}` }),
    ])();
    parts.push(...(Array.isArray(next) ? next : [next]));
  }
  return parts;
}

/** A new build for the worker. */
export function assign(lease: Lease): Part {
  const steps = [{ kind: 'shell', name: 's', command: 'true' }];
  const plan = { builder: 'b', number: 1, builddir: 'b', steps };
  return say({ type: 'assign', ...lease, plan, secrets: { s: 'x' }, orphanAfter: 30 });
}

import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { fastestOf, type HandshakesFact } from '../../facts/links.ts';
import type { PathFacts } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPath, topics } from './question.ts';

interface Facts {
  readonly path: PathFacts;
  readonly slow: readonly HandshakesFact[];
}

export const pth05 = defineCheck<'target', Facts>({
  id: 'PTH-05',
  title: 'handshakes are faster than impatient programs',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  causes: ['PTH-01'],
  async gather(context, target) {
    const [path, slow] = await Promise.all([context.probes.path(target), context.probes.handshakes(target)]);
    return { path, slow };
  },
  judge: (facts, target) => judgeHandshakes(facts, target),
});

/** Node gives each address but the last 250 ms; what comes near that fails on a bad day. */
const NEAR_MS = 200;
const NODE_LIMIT_MS = 250;
/** Longer than this a person notices, however patient the program is. */
const ANYBODY_MS = 1_000;

function judgeHandshakes({ path, slow }: Facts, target: TargetSubject): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const late = slow.filter((fact) => fastestOf(fact) > NEAR_MS);
  if (late.length === 0) return nothing;
  const got = late.map((fact) => {
    const times = fact.attempts.map(({ outcome, ms }) => (outcome === 'connected' ? `${ms}` : outcome));
    const where = printHostPort(fact.address, target.port ?? 0);
    return evidence('connect', `tcp ${where}, ${times.length} times`, `${times.join(', ')} ms`, path.at);
  });
  const worst = Math.max(...late.map(fastestOf));
  // A program that has no other address waits for this one as long as it takes.
  const alone = path.attempts.length < 2;
  return found({
    status: alone && worst <= ANYBODY_MS ? 'info' : 'warn',
    title: `A connection to ${target.text} takes ${Math.round(worst)} ms${alone || worst <= NODE_LIMIT_MS ? '' : `: Node gives up on an address after ${NODE_LIMIT_MS} ms`}`,
    evidence: got,
    fix: [
      alone
        ? { text: 'Look where the time goes: 1 s or 3 s each time is a first packet that is always lost' }
        : {
            text: 'Let programs of Node wait longer for each address (bbx itself does not give up on one that is slow)',
            commands: ['export NODE_OPTIONS=--network-family-autoselection-attempt-timeout=2000'],
          },
    ],
  });
}

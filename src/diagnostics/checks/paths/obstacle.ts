import {
  defineCheck,
  found,
  nothing,
  skip,
  type Draft,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { attemptEvidence } from '../../evidence.ts';
import type { PathFacts } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import type { OtherEnd } from '../../facts/both-ends.ts';
import { fixFor } from './fixes.ts';
import { gather, meant, noPath, topics } from './question.ts';
import { judgeBothEnds } from './two-sided.ts';

interface Facts {
  readonly path: PathFacts;
  readonly other: OtherEnd | undefined;
}

export const pth04 = defineCheck<'target', Facts>({
  id: 'PTH-04',
  title: 'what stops it: dropped, rejected, or nobody there',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  causes: [
    'LIM-01',
    'LIM-02',
    'LSN-11',
    'LSN-01',
    'LSN-02',
    'LSN-03',
    'HST-01',
    'HST-02',
    'HST-03',
    'HST-09',
    'HST-08',
    'DNS-07',
    'DNS-08',
  ],
  async gather(context, target) {
    const [path, other] = await Promise.all([gather(context, target), context.probes.otherEnd(target)]);
    return { path, other };
  },
  judge: ({ path, other }, target, context) =>
    other === undefined ? judgeObstacle(path, target, context) : judgeBothEnds(path, other, target),
});

/** Speaks only where nothing gets through and something said no: a mere silence is all that PTH-01 can say. */
function judgeObstacle(path: PathFacts, target: TargetSubject, context: JudgeContext): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const attempts = meant(path.attempts, context);
  if (attempts.some((attempt) => attempt.outcome === 'connected')) return nothing;
  if (attempts.length === 0) return skip('no address was tried');
  const got = attempts.map((attempt) => attemptEvidence(attempt, path.at));
  const draft = (title: string, rest: Pick<Draft, 'confidence' | 'fix'>): Judgement =>
    found({ status: 'error', title, evidence: got, ...rest });
  if (attempts.every((attempt) => attempt.errno === 'ECONNREFUSED')) {
    if (path.listensHere === false) {
      return draft(`Nothing listens on port ${target.port ?? 0} of this host (connection refused)`, {
        fix: [
          {
            text: 'Start the program that should listen there; see who does',
            commands: [
              ...(target.protocol === 'bbx' ? ['bbx run master'] : []),
              `ss -ltn sport = :${target.port ?? 0}`,
            ],
          },
        ],
      });
    }
    return draft(
      path.listensHere === true
        ? `${target.text} is refused although something listens there: a firewall of this host rejects it`
        : `${target.text} refuses: nothing listens on that port, or a firewall rejects it`,
      { confidence: path.listensHere === true ? 'likely' : 'possible', fix: fixFor(attempts, target, path) },
    );
  }
  const policy = attempts.filter(
    (attempt) => attempt.local && ['EACCES', 'EINVAL', 'EPERM', 'EHOSTUNREACH'].includes(attempt.errno ?? ''),
  );
  if (policy.length === attempts.length) {
    return draft(`This host itself forbids connections to ${target.text} (${policy[0]?.errno ?? ''})`, {
      fix: [
        {
          text: 'Look for a prohibit, unreachable or blackhole route, and for outgoing firewall rules',
          commands: attempts.slice(0, 2).map((attempt) => `ip route get ${attempt.address}`),
        },
      ],
    });
  }
  // ICMPv6 administratively prohibited comes as EACCES, ICMPv4's as EHOSTUNREACH, both from the network (docs/doctor.md).
  const filtered = attempts.filter(
    (attempt) =>
      !attempt.local &&
      (attempt.errno === 'EACCES' || (attempt.errno === 'EHOSTUNREACH' && attempt.ms < 2_000)),
  );
  if (filtered.length > 0 && filtered.length === attempts.length) {
    return draft(
      `A router or firewall on the way rejects connections to ${target.text} (${filtered[0]?.errno ?? ''})`,
      {
        confidence: 'likely',
        fix: [{ text: `Ask for TCP port ${target.port ?? 0} to be let through, for both families` }],
      },
    );
  }
  return nothing;
}

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
import type { Attempt, PathFacts } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import type { OtherEnd } from '../../facts/both-ends.ts';
import { fixFor, isMastersPort } from './fixes.ts';
import { hairpin } from './hairpin.ts';
import { gather, meant, noPath, topics } from './question.ts';
import { judgeBothEnds } from './two-sided.ts';

interface Facts {
  readonly path: PathFacts;
  /** A closed port of the same addresses; empty where it was not tried. */
  readonly closed: readonly Attempt[];
  readonly other: OtherEnd | undefined;
  /** The master's own public address, looked at from its own network (PTH-09): others may well get in. */
  readonly mayBeHairpin: boolean;
}

export const pth04 = defineCheck<'target', Facts>({
  id: 'PTH-04',
  title: 'what stops it: dropped, rejected, or nobody there',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  causes: [
    'SVC-07',
    'LIM-01',
    'LIM-02',
    'PTH-09',
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
    'PRX-01',
  ],
  async gather(context, target) {
    const [path, closed, other, own] = await Promise.all([
      gather(context, target),
      context.probes.closedPort(target),
      context.probes.otherEnd(target),
      hairpin(context, target),
    ]);
    return { path, closed, other, mayBeHairpin: own !== undefined };
  },
  judge: (facts, target, context) =>
    facts.other === undefined
      ? judgeObstacle(facts, target, context)
      : judgeBothEnds(facts.path, facts.other, target),
});

/** Speaks only where nothing gets through and something said no, be it at another port: a mere silence is all that PTH-01 can say. */
function judgeObstacle(
  { path, closed, mayBeHairpin }: Facts,
  target: TargetSubject,
  context: JudgeContext,
): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const attempts = meant(path.attempts, context);
  if (attempts.some((attempt) => attempt.outcome === 'connected')) return nothing;
  if (attempts.length === 0) return skip('no address was tried');
  const compared = closed.filter(({ family }) => attempts.some((attempt) => attempt.family === family));
  const got = [...attempts, ...compared].map((attempt) => attemptEvidence(attempt, path.at));
  const answersElsewhere =
    compared.length > 0 &&
    compared.every(({ outcome, errno }) => outcome === 'connected' || errno === 'ECONNREFUSED');
  const draft = (title: string, rest: Pick<Draft, 'confidence' | 'fix'>): Judgement =>
    found({ status: mayBeHairpin ? 'warn' : 'error', title, evidence: got, ...rest });
  if (attempts.every((attempt) => attempt.errno === 'ECONNREFUSED')) {
    if (path.listensHere === false) {
      return draft(`Nothing listens on port ${target.port ?? 0} of this host (connection refused)`, {
        fix: [
          {
            text: 'Start the program that should listen there; see who does',
            commands: [
              ...(isMastersPort(target) ? ['bbx run master'] : []),
              `ss -ltn sport = :${target.port ?? 0}`,
            ],
          },
        ],
      });
    }
    // Whoever drops all other ports has let this one through on purpose.
    const chosen = compared.length > 0 && compared.every(({ outcome }) => outcome === 'silent');
    return draft(
      path.listensHere === true
        ? `${target.text} is refused although something listens there: a firewall of this host rejects it`
        : chosen
          ? `${target.text} refuses: its firewall drops other ports and lets this one through, but nothing listens there`
          : `${target.text} refuses: nothing listens on that port, or a firewall rejects it`,
      {
        confidence: path.listensHere === true || chosen ? 'likely' : 'possible',
        fix: fixFor(attempts, target, path),
      },
    );
  }
  if (answersElsewhere && attempts.every(({ outcome }) => outcome === 'silent')) {
    return draft(
      `TCP port ${target.port ?? 0} of ${target.host} alone is silent, another port answers at once: a firewall drops it, or the program there takes no more connections`,
      {
        confidence: 'likely',
        fix: [
          {
            text: `Let TCP port ${target.port ?? 0} through the firewalls of both hosts and on the way; the host itself is up`,
          },
          {
            text: 'Where no firewall names the port, look on that host whether its program still takes connections (Recv-Q at Send-Q: it does not)',
            commands: [`ss -ltn sport = :${target.port ?? 0}`],
          },
        ],
      },
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
      `A router or firewall on the way rejects connections to ${target.text} (${filtered[0]?.errno ?? ''})${answersElsewhere ? ', and to no other port' : ''}`,
      {
        confidence: answersElsewhere ? 'proven' : 'likely',
        fix: [{ text: `Ask for TCP port ${target.port ?? 0} to be let through, for both families` }],
      },
    );
  }
  return nothing;
}

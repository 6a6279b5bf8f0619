import type { Evidence } from '../../../api/doctor.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { attemptEvidence, evidence, seconds } from '../../evidence.ts';
import type { NameFacts } from '../../facts/names.ts';
import type { PathFacts } from '../../facts/paths.ts';
import { CLIENT_NAMES, CLIENTS, NO_A_RECORD, printFate, simulate } from '../../simulate.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPath, topics } from './question.ts';

export const pth03 = defineCheck<'target', { path: PathFacts; name: NameFacts }>({
  id: 'PTH-03',
  title: 'who gets in, and how fast',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-01'],
  causes: ['DNS-05', 'PTH-02', 'PTH-01', 'DNS-03', 'LSN-02', 'LSN-03', 'HST-01', 'HST-02', 'HST-03'],
  async gather(context, target) {
    const [path, name] = await Promise.all([
      context.probes.path(target),
      context.probes.name(target.host, target.server),
    ]);
    return { path, name };
  },
  judge: ({ path, name }, target, context) => judgeClients(path, name, target, context),
});

/** What dead addresses may cost: longer than this a person notices, and CI times out somewhere. */
const SLOW_MS = 1_000;

function judgeClients(
  path: PathFacts,
  name: NameFacts,
  target: TargetSubject,
  _context: JudgeContext,
): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const good = path.attempts.filter((attempt) => attempt.outcome === 'connected');
  if (good.length === 0) return skip('PTH-01');
  // Nobody pays for dead addresses here; whether one is slow is for PTH-05, which measures it again.
  if (good.length === path.attempts.length) return nothing;
  const fastest = Math.min(...good.map(({ ms }) => ms));
  const fates = simulate(name, path.attempts);
  // What this host cannot do itself says nothing about other hosts' programs.
  const fair = path.attempts.every((attempt) => !attempt.local);
  const slow = CLIENTS.filter((kind) => {
    const fate = fates[kind];
    return fate.kind === 'in' && fate.ms - fastest > SLOW_MS;
  });
  const out = CLIENTS.filter((kind) => {
    const fate = fates[kind];
    // A name without A record is DNS-05's to tell; the path has nothing to do with it.
    return fate.kind === 'out' && fate.why !== NO_A_RECORD;
  });
  if ((slow.length === 0 && out.length === 0) || !fair) return nothing;
  // An address that has no IPv4 form is no fault of the path.
  if (name.literal === 6 || (name.localhost && out.length === 0 && slow.length === 0)) return nothing;
  const got: Evidence[] = CLIENTS.map((kind) =>
    evidence('connect', `${CLIENT_NAMES[kind]}, by simulation`, printFate(fates[kind]), path.at),
  );
  const parts = [
    ...(out.length > 0 ? [`${namesOf(out)} would not get in`] : []),
    ...(slow.length > 0
      ? [`${namesOf(slow)} would wait ${seconds(Math.max(...slow.map((kind) => msOf(fates[kind]))))}`]
      : []),
  ];
  return found({
    status: name.localhost ? 'info' : out.includes('bbx') ? 'error' : 'warn',
    title: `${target.text}: ${parts.join('; ')}`,
    confidence: 'likely',
    evidence: [...got, ...path.attempts.map((attempt) => attemptEvidence(attempt, path.at))],
    fix: [{ text: 'Make every published address answer, or withdraw those that do not' }],
  });
}

function namesOf(kinds: readonly (typeof CLIENTS)[number][]): string {
  return kinds.map((kind) => CLIENT_NAMES[kind]).join(', ');
}

function msOf(fate: ReturnType<typeof simulate>['bbx']): number {
  return fate.kind === 'in' ? fate.ms : 0;
}

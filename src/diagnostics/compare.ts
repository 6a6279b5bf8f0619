import type { CheckObject, DoctorReport, Evidence, Finding, Verdict } from '../api/doctor.ts';
import { DOCTOR_SCHEMA } from '../api/doctor.ts';
import { printHostPort } from '../net/endpoint/host.ts';
import { conclude, type Conclusion } from './compare-conclude.ts';
import { evidence, outcomeText } from './evidence.ts';
import type { Side, SideAttempt } from './compare-sides.ts';
import type { Reported } from './report.ts';

/**
 * Joins two reports, one of each end: what one end tried against what the other listens on and has accepted. Both directions are looked at,
 * since either may be the one that dials. Nothing in common is `unknown`, never `ok`. Pure.
 */
export function compareReports(one: Side, other: Side): Reported {
  const ways = [...waysBetween(one, other), ...waysBetween(other, one)];
  const findings = [...ways.flatMap(({ findings: own }) => own), ...splitNames(one, other)];
  if (ways.length === 0) findings.push(nothingInCommon(one, other));
  const order = { error: 0, warn: 1, unknown: 2, info: 3 };
  findings.sort((a, b) => order[a.status] - order[b.status]);
  const checks = rowsOf(findings, ways.length);
  const summary = { ok: 0, info: 0, warn: 0, error: 0, skip: 0, unknown: 0 };
  for (const { status } of checks) summary[status] += 1;
  const has = (status: Finding['status']) => findings.some((finding) => finding.status === status);
  const mustKnow = ways.length === 0;
  return {
    report: {
      schema: DOCTOR_SCHEMA,
      verdict: has('error') ? 'error' : mustKnow ? 'unknown' : has('warn') ? 'warn' : 'ok',
      code: codeOf(
        ways.flatMap(({ attempts }) => attempts),
        findings,
      ),
      summary,
      checks,
      findings,
      verdicts: ways.map(({ verdict }) => verdict),
    },
    mustKnow,
    proposals: [],
  };
}

interface Way {
  readonly attempts: readonly SideAttempt[];
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
}

/** The targets of one end that the other end has a listener for, by port. */
function waysBetween(dialler: Side, listener: Side): Way[] {
  const targets = [...new Set(dialler.attempts.map(({ target }) => target))];
  return targets.flatMap((target) => {
    const attempts = dialler.attempts.filter((attempt) => attempt.target === target);
    const port = attempts[0]?.port ?? 0;
    if (!listener.listeners.has(port)) return [];
    const concluded = attempts.map((attempt) => ({
      attempt,
      conclusion: conclude(attempt, dialler, listener),
    }));
    const good = concluded.filter(
      ({ conclusion }) => conclusion === undefined || conclusion.status === 'info',
    );
    const findings = Map.groupBy(
      concluded.flatMap(({ attempt, conclusion }) =>
        conclusion === undefined ? [] : [{ attempt, conclusion }],
      ),
      ({ conclusion: { id, title } }) => `${id} ${title}`,
    );
    return [
      {
        attempts,
        findings: [...findings.values()].map((alike) =>
          findingOf(target, alike, good.length > 0, dialler, listener),
        ),
        verdict: {
          from: vantageOf(dialler),
          to: target,
          plane: 'other',
          verdict: verdictOf(concluded.map(({ conclusion }) => conclusion)),
          rungs: {
            R2: share(attempts.filter(({ outcome }) => outcome === 'connected').length, attempts.length),
          },
          clients: {},
        },
      },
    ];
  });
}

function findingOf(
  target: string,
  alike: readonly { attempt: SideAttempt; conclusion: Conclusion }[],
  partly: boolean,
  dialler: Side,
  listener: Side,
): Finding {
  const { id, status, title, confidence, seen, fix } = alike[0]!.conclusion;
  const at = dialler.report.at ?? '';
  const tried = alike.map(({ attempt }): Evidence =>
    evidence(
      'connect',
      `tcp ${printHostPort(attempt.address, attempt.port)} from ${dialler.file}`,
      outcomeText(attempt),
      at,
    ),
  );
  return {
    id,
    // Another address works, so it is a nuisance more than an outage.
    status: status === 'error' && partly && id !== 'PRO-01' ? 'warn' : status,
    target,
    vantage: vantageOf(dialler),
    title,
    confidence,
    evidence: [...tried, evidence('proc', `listeners of ${listener.file}`, seen, listener.report.at ?? '')],
    cause: [],
    explains: [],
    fix: [fix],
  };
}

/** Names for which DNS tells the two ends different addresses. */
function splitNames(one: Side, other: Side): Finding[] {
  return [...one.names].flatMap(([name, mine]) => {
    const theirs = other.names.get(name);
    if (theirs === undefined || mine.join() === theirs.join()) return [];
    const says = (side: Side, addresses: readonly string[]) =>
      evidence(
        'dns',
        `${name} from ${side.file}`,
        addresses.join(', ') || 'no address',
        side.report.at ?? '',
      );
    return [
      {
        id: 'DNS-15',
        status: 'warn' as const,
        target: name,
        vantage: 'here' as const,
        title: `The two ends get different addresses for ${name}`,
        confidence: 'proven' as const,
        evidence: [says(one, mine), says(other, theirs)],
        cause: [],
        explains: [],
        fix: [{ text: 'Publish the same addresses on both sides, where that is not meant' }],
      },
    ];
  });
}

function nothingInCommon(one: Side, other: Side): Finding {
  const saw = ({ file, attempts, listeners, report }: Side) => {
    const targets = [...new Set(attempts.map(({ target }) => target))].join(', ') || 'nothing';
    const ports = [...listeners.keys()].join(', ') || 'none';
    return evidence('file', file, `tried ${targets}; listening ports looked at: ${ports}`, report.at ?? '');
  };
  return {
    id: 'PTH-01',
    status: 'unknown',
    target: `${one.file} and ${other.file}`,
    vantage: 'here',
    title: 'Not known: neither report has tried a port that the other one looked at as a listener',
    confidence: 'proven',
    evidence: [saw(one), saw(other)],
    cause: [],
    explains: [],
    fix: [
      {
        text: 'Make one report of each end: on the worker, and on the master',
        commands: [
          'bbx doctor reach HOST:PORT --report worker.json',
          'bbx doctor --dir ./master --report master.json',
        ],
      },
    ],
  };
}

function rowsOf(findings: readonly Finding[], ways: number): CheckObject[] {
  const ids = [...new Set(findings.map(({ id }) => id))];
  const found = ids.map((id): CheckObject => {
    const { status, title } = findings.find((finding) => finding.id === id)!;
    return { id, title, status, ms: 0 };
  });
  if (ways === 0 || ids.length > 0) return found;
  return [{ id: 'PTH-01', title: 'both ends say the same', status: 'ok', ms: 0 }];
}

function vantageOf({ report }: Side): Finding['vantage'] {
  return report.vantage ?? 'here';
}

function verdictOf(conclusions: readonly (Conclusion | undefined)[]): Verdict['verdict'] {
  const bad = conclusions.filter((conclusion) => conclusion?.status === 'error');
  if (bad.some((conclusion) => conclusion?.id === 'PRO-01')) return 'wrong-peer';
  if (bad.length === 0) return 'reachable';
  return bad.length < conclusions.length ? 'degraded' : 'unreachable';
}

function share(good: number, all: number): string {
  if (good === all) return 'ok';
  return good === 0 ? 'fail' : `${good}/${all}`;
}

function codeOf(attempts: readonly SideAttempt[], findings: readonly Finding[]): DoctorReport['code'] {
  const works = (family: 4 | 6) =>
    attempts.some((attempt) => attempt.family === family && attempt.outcome === 'connected');
  const families = `${works(4) ? '4' : ''}${works(6) ? '6' : ''}` || '0';
  const grave = findings.filter(({ status }) => status === 'error' || status === 'warn').map(({ id }) => id);
  const letters = `${grave.some((id) => id.startsWith('DNS-')) ? 'd' : ''}${grave.includes('PTH-04') ? 'f' : ''}${grave.includes('PRO-01') ? 'w' : ''}`;
  return letters === '' ? families : `${families}-${letters}`;
}

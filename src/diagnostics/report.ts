import {
  DOCTOR_SCHEMA,
  type CheckObject,
  type CheckStatus,
  type DoctorReport,
  type Finding,
  type Verdict,
} from '../api/doctor.ts';
import { EXIT, type ExitCode } from '../base/exit.ts';
import type { Check } from './check.ts';
import { usableAddresses, type HostFacts } from './facts/host.ts';
import type { PathFacts } from './facts/paths.ts';
import type { Proposal } from './fixes.ts';
import { fold } from './fold.ts';
import { gravest, type Outcome } from './run.ts';

export interface ReportInput {
  readonly checks: readonly Check[];
  readonly outcomes: readonly Outcome[];
  readonly verdicts: readonly Verdict[];
  readonly vantage: Finding['vantage'];
  readonly host: HostFacts | undefined;
  readonly paths: readonly PathFacts[];
  /** A translator to IPv4 was found (NAT64 with DNS64). */
  readonly translated?: boolean;
}

/** The report, and whether something that must be known is not: a rung R0 to R4 of a target. */
export interface Reported {
  readonly report: DoctorReport;
  readonly mustKnow: boolean;
  /** What `--fix` could do. */
  readonly proposals: readonly Proposal[];
}

/** Puts a run's outcomes together: effects under their roots, one row a check, one word, one code. Pure. */
export function makeReport(input: ReportInput): Reported {
  const { findings, proposals, explainedBy, raised } = fold(input.outcomes, input.vantage);
  const checks = input.checks.map((check) =>
    checkRow(
      check,
      input.outcomes.filter((outcome) => outcome.check.id === check.id),
      explainedBy,
      raised,
    ),
  );
  const summary = { ok: 0, info: 0, warn: 0, error: 0, skip: 0, unknown: 0 } satisfies Record<
    CheckStatus,
    number
  >;
  for (const check of checks) summary[check.status] += 1;
  const mustKnow = input.outcomes.some(
    (outcome) =>
      outcome.status === 'unknown' && outcome.check.rung !== undefined && !explainedBy.has(outcome),
  );
  const has = (status: Finding['status']) => findings.some((finding) => finding.status === status);
  const verdict = has('error') ? 'error' : mustKnow ? 'unknown' : has('warn') ? 'warn' : 'ok';
  return {
    report: {
      schema: DOCTOR_SCHEMA,
      verdict,
      code: helpdeskCode(input, findings),
      summary,
      checks,
      findings,
      verdicts: [...input.verdicts],
    },
    mustKnow,
    proposals,
  };
}

function checkRow(
  check: Check,
  outcomes: readonly Outcome[],
  explainedBy: ReadonlyMap<Outcome, string>,
  raised: ReadonlyMap<Outcome, CheckStatus>,
): CheckObject {
  const seen = outcomes.map((outcome): { status: CheckStatus; because: string | undefined } => {
    const root = explainedBy.get(outcome);
    return root === undefined
      ? { status: raised.get(outcome) ?? outcome.status, because: outcome.because }
      : { status: 'skip', because: root };
  });
  const status = seen.length === 0 ? 'skip' : gravest(seen.map((one) => one.status));
  const because =
    seen.length === 0
      ? 'nothing of that kind here'
      : seen.find((one) => one.status === status && one.because !== undefined)?.because;
  return {
    id: check.id,
    title: check.title,
    status,
    ...((status === 'skip' || status === 'unknown') && because !== undefined ? { because } : {}),
    ms: outcomes.reduce((most, outcome) => Math.max(most, outcome.ms), 0),
  };
}

/** Letters of kinds of trouble: slow, MTU, DNS, filtered, wrong peer. A letter stands when a finding of its kind does. */
const LETTERS: readonly { letter: string; fits: (finding: Finding) => boolean }[] = [
  { letter: 's', fits: ({ id }) => id === 'PTH-03' || id === 'PTH-05' || id === 'DNS-11' },
  { letter: 'm', fits: ({ id }) => id === 'PTH-06' },
  { letter: 'd', fits: ({ id }) => id.startsWith('DNS-') },
  { letter: 'f', fits: ({ id }) => id === 'PTH-01' || id === 'PTH-02' || id === 'PTH-04' },
  { letter: 'w', fits: ({ id }) => id === 'PRO-01' || id === 'PRO-02' || id === 'LSN-07' },
];

/**
 * One token to read out: families that reached something (where nothing was tried: that this host has), then letters. `64`: IPv6 alone, with a
 * translator to IPv4.
 */
export function helpdeskCode(
  input: Pick<ReportInput, 'paths' | 'host'> & { translated?: boolean | undefined },
  findings: readonly Finding[],
): string {
  const attempts = input.paths.flatMap((path) => path.attempts);
  const works = (family: 4 | 6) =>
    attempts.length > 0
      ? attempts.some((attempt) => attempt.family === family && attempt.outcome === 'connected')
      : input.host !== undefined && usableAddresses(input.host, family).length > 0;
  const alone = works(6) && !works(4);
  const families =
    alone && input.translated === true ? '64' : `${works(4) ? '4' : ''}${works(6) ? '6' : ''}` || '0';
  const trouble = findings.filter((finding) => finding.status === 'error' || finding.status === 'warn');
  const letters = LETTERS.filter(({ fits }) => trouble.some(fits)).map(({ letter }) => letter);
  return letters.length === 0 ? families : `${families}-${letters.join('')}`;
}

/** The process's exit code of a report (docs/cli.md): errors first, then what must be known, then warnings where they count. */
export function exitOf(
  reported: Reported,
  options: { strict: boolean; failOn: 'error' | 'warn' | 'unknown' },
): ExitCode {
  const { report, mustKnow } = reported;
  const has = (...statuses: Finding['status'][]) =>
    report.findings.some((finding) => statuses.includes(finding.status));
  if (has('error')) return EXIT.failed;
  if (options.failOn !== 'error' && has('warn')) return EXIT.failed;
  if (options.failOn === 'unknown' && (mustKnow || has('unknown'))) return EXIT.failed;
  if (mustKnow) return EXIT.unknown;
  return options.strict && has('warn') ? EXIT.warnings : EXIT.ok;
}

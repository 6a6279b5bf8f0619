import type { ChangeObject, CheckObject, DoctorReport, Finding } from '../api/doctor.ts';
import type { Intent } from './intent.ts';
import { hanging, wrap } from '../base/lines.ts';
import { whoGetsIn } from './who-gets-in.ts';

/** How the report may look: colours and symbols where the terminal has them. */
export interface Look {
  readonly width: number;
  /** Symbols beyond ASCII. */
  readonly symbols: boolean;
  readonly paint: { red: Paint; yellow: Paint; green: Paint; dim: Paint; bold: Paint };
}
type Paint = (text: string) => string;

export interface ReportWords {
  readonly report: DoctorReport;
  /** Undefined where families are not what it is about. */
  readonly intent: Intent | undefined;
  readonly heading: string;
  readonly ms: number;
  readonly verbose: boolean;
  /** There was nothing to look at but the host itself. */
  readonly hostAlone?: boolean;
  /** What to say instead of the usual where nothing but the host was there. */
  readonly emptyHint?: string | undefined;
  /** Where the report was written to. */
  readonly file?: string;
}

/** Lines of evidence that are printed without -v; JSON has them all. */
const EVIDENCE_LINES = 6;
/** Width of `DNS-01` and two spaces. */
const ID_COLUMN = 8;

/** The report for people: roots first, each with its evidence and its next step; everything that passed in one line. Pure. */
export function printReport(input: ReportWords, look: Look): string {
  const { report, verbose } = input;
  const shown = report.findings.filter((finding) => finding.status !== 'info' || verbose);
  const facts = report.findings.filter((finding) => finding.status === 'info' && !verbose);
  const blocks = [
    headLine(input, look),
    ...shown.map((finding) => printFinding(finding, { look, verbose, word: wordOf(finding, input) })),
    ...(facts.length === 0 ? [] : [facts.map((finding) => factLine(finding, look)).join('\n')]),
    ...(verbose ? [report.checks.map((check) => checkLine(check, look)).join('\n')] : []),
    ...waysIn(report, look),
    ...(report.changes ?? []).map((change) => changeBlock(change, look)),
    lastLines(input, look),
  ];
  const text = `${blocks.join('\n\n')}\n`;
  return look.symbols ? text : text.replaceAll('…', '...');
}

function headLine({ report, heading, ms }: ReportWords, look: Look): string {
  const right = `${(ms / 1000).toFixed(1)} s   code ${report.code}`;
  const left = `bbx doctor  ${heading}`;
  const gap = look.width - left.length - right.length;
  return gap >= 2
    ? look.paint.bold(left) + ' '.repeat(gap) + right
    : `${look.paint.bold(left)}\n${right.padStart(look.width)}`;
}

function mark(status: CheckObject['status'], look: Look): string {
  const { paint, symbols } = look;
  switch (status) {
    case 'error':
      return paint.red(symbols ? '✗' : 'x');
    case 'warn':
      return paint.yellow('!');
    case 'unknown':
      return paint.yellow('?');
    case 'ok':
      return paint.green(symbols ? '✓' : '+');
    case 'info':
      return paint.dim(symbols ? '•' : '-');
    case 'skip':
      return paint.dim('.');
  }
}

/** The verdict on a target, in the line of the first finding about it. */
function wordOf(finding: Finding, { report }: ReportWords): string {
  const isFirst = report.findings.find(({ target }) => target === finding.target) === finding;
  const verdict = report.verdicts.find(({ to }) => to === finding.target)?.verdict;
  if (!isFirst || verdict === undefined || verdict === 'reachable' || verdict === 'unknown') return '';
  return `${verdict.toUpperCase().replace('-', ' ')}  `;
}

function printFinding(
  finding: Finding,
  { look, verbose, word }: { look: Look; verbose: boolean; word: string },
): string {
  const { paint } = look;
  const [first = '', ...rest] = wrap(word + finding.title, look.width - 3 - ID_COLUMN - 1);
  const id = finding.id.padStart(ID_COLUMN);
  const lines = [
    ` ${mark(finding.status, look)} ${paint.bold(first)}${' '.repeat(Math.max(1, look.width - 3 - first.length - ID_COLUMN))}${paint.dim(id)}`,
    ...rest.map((line) => `   ${paint.bold(line)}`),
  ];
  const evidence = verbose ? finding.evidence : finding.evidence.slice(0, EVIDENCE_LINES);
  for (const { what, got, lines: excerpt } of evidence)
    lines.push(
      ...hanging('     ', `${what}: ${got}`, look),
      ...(excerpt ?? []).map((line) => `       ${line}`),
    );
  if (evidence.length < finding.evidence.length)
    lines.push(`     and ${finding.evidence.length - evidence.length} more (-v)`);
  if (finding.confidence !== 'proven' && finding.status !== 'info')
    lines.push(`     This is ${finding.confidence}, not proven.`);
  for (const fix of finding.fix) {
    lines.push(...hanging('     ', `Fix: ${fix.text}`, look));
    for (const command of fix.commands ?? []) lines.push(`        ${command}`);
  }
  if (finding.explains.length > 0)
    lines.push(
      ...hanging('     ', `Explains ${finding.explains.length} more: ${finding.explains.join(', ')}`, look),
    );
  return lines.join('\n');
}

function factLine(finding: Finding, look: Look): string {
  const [first = '', ...rest] = wrap(finding.title, look.width - 3 - ID_COLUMN - 1);
  const gap = ' '.repeat(Math.max(1, look.width - 3 - first.length - ID_COLUMN));
  return [
    ` ${mark('info', look)} ${first}${gap}${look.paint.dim(finding.id.padStart(ID_COLUMN))}`,
    ...rest.map((line) => `   ${line}`),
  ].join('\n');
}

function checkLine(check: CheckObject, look: Look): string {
  const because = check.because === undefined ? '' : ` (${check.because})`;
  const [first = '', ...rest] = wrap(`${check.id}  ${check.title}${because}`, look.width - 13);
  return [` ${mark(check.status, look)} ${first}`, ...rest.map((line) => `           ${line}`)].join('\n');
}

/** What `--fix` did to a file, or would do. */
function changeBlock({ file, state, patch, backup }: ChangeObject, look: Look): string {
  const words = {
    proposed: `Would change ${file}; to do it: the same call with --fix --yes`,
    made: `Changed ${file}${backup === undefined ? '' : `; its former text is ${backup}`}`,
    undone: `Changed ${file} and took it back, since nothing was better`,
  }[state];
  const lines = patch.split('\n').map((line) => {
    if (/^(\+\+\+|---|@@)/.test(line)) return look.paint.dim(line);
    return line.startsWith('+') ? look.paint.green(line) : line.startsWith('-') ? look.paint.red(line) : line;
  });
  return [...hanging(' ', words, look), ...lines.map((line) => `   ${line}`)].join('\n');
}

/** A block on each target: its verdict, and the programs that would connect. */
function waysIn(report: DoctorReport, look: Look): string[] {
  const targets = whoGetsIn(report.verdicts);
  if (targets.length === 0) return [];
  const lines = targets.flatMap(({ head, ways }) => [
    ...hanging('   ', head, look),
    ...ways.flatMap(([how, programs]) => hanging('     ', `${how}: ${programs}`, look)),
  ]);
  return [[' Who gets in:', ...lines].join('\n')];
}

/** Rungs of the ladder that were left out although the way to them was free; of programs that are no master of bbx there are none. */
const UNTESTED: readonly (readonly [rung: string, words: string])[] = [
  ['R7', 'large packets (R7)'],
  ['R8', 'connections that rest for minutes (R8: bbx doctor reach HOST:PORT --soak)'],
  ['R9', 'what the master saw (R9)'],
];

function notTested({ verdicts }: DoctorReport, look: Look): string[] {
  const whole = verdicts.filter(
    ({ verdict, rungs }) => /^(reachable|degraded)$/.test(verdict) && rungs['R3'] !== 'none',
  );
  const words = UNTESTED.filter(([rung]) => whole.some(({ rungs }) => rungs[rung] === 'not-tested')).map(
    ([, text]) => text,
  );
  return words.length === 0
    ? []
    : hanging(' ', `Not tested: ${words.join(', ')}`, look).map((line) => look.paint.dim(line));
}

function lastLines({ report, intent, verbose, hostAlone, emptyHint, file }: ReportWords, look: Look): string {
  const { ok, info, skip } = report.summary;
  const count = (status: Finding['status']) =>
    report.findings.filter((finding) => finding.status === status).length;
  const [error, warn, unknown] = [count('error'), count('warn'), count('unknown')];
  const passed = `${ok + info} ok, ${skip} not applicable`;
  const trouble = [
    error > 0 ? `${error} failed` : '',
    warn > 0 ? `${warn} warned` : '',
    unknown > 0 ? `${unknown} unknown` : '',
  ]
    .filter(Boolean)
    .join(', ');
  const families = intent?.insists.length === 0 ? 'any family' : `IPv${intent?.insists.join(' and IPv')}`;
  const meant = intent === undefined ? '' : `  Meant to work: ${families} (${intent.source}).`;
  return [
    ...hanging(' ', `${trouble === '' ? '' : `${trouble}, `}${passed}.${meant}`, look),
    ...notTested(report, look),
    ...(hostAlone === true
      ? hanging(
          ' ',
          emptyHint ?? 'This host alone was looked at. To try an address: bbx doctor reach HOST:PORT',
          look,
        )
      : []),
    ...(file === undefined ? [] : [` Report: ${file}`]),
    ...(verbose || ok + info === 0
      ? []
      : [look.paint.dim(' Every check and all evidence: -v; for programs: --json')]),
  ].join('\n');
}

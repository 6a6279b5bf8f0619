import type { Baseline } from './baselines.ts';
import { BARS, type Mark, type Score } from './score.ts';

const COLUMNS = ['CASE', 'FAULT', 'EXPECTED', 'SAID', 'S', ''] as const;

/** The table of a run: what each case wanted, what was said, in which time, and what is wrong with it. */
export function tableLines(marks: readonly Mark[]): string[] {
  const rows = [COLUMNS, ...marks.map(rowOf)];
  const widths = COLUMNS.map((_name, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function rowOf(one: Mark): readonly string[] {
  const { case: given, said } = one;
  const words = said.failed ?? [...said.grave, ...(given.fact === true ? said.facts : [])].join(' ');
  return [
    given.id,
    given.title,
    given.root.length === 0 ? '-' : given.root.join('|'),
    words === '' ? '-' : words,
    (said.ms / 1000).toFixed(1),
    remarkOf(one),
  ];
}

function remarkOf({ case: given, said, found, first, noise, verdictRight }: Mark): string {
  const remarks = [
    ...(given.root.length > 0 && !found ? ['MISSED'] : []),
    ...(found && !first ? ['not first'] : []),
    ...(noise.length > 0 ? [`noise: ${noise.join(' ')}`] : []),
    ...(verdictRight ? [] : [`verdict ${said.verdict ?? 'none'}, not ${given.verdict}`]),
    ...(said.ms > BARS.limitMs ? ['slow'] : []),
  ];
  return remarks.join('; ');
}

const part = (share: number) => share.toFixed(3);

/** The score beside its bars. */
export function scoreLines(result: Score): string[] {
  const list = (ids: readonly string[]) => (ids.length === 0 ? 'none' : ids.join(' '));
  return [
    `${result.faults} faults, ${result.controls} controls`,
    `recall     ${part(result.recall)}  (bar ${BARS.recall})`,
    `root first ${part(result.first)}  (bar ${BARS.first})`,
    `precision  ${part(result.precision)}  (bar ${BARS.precision})`,
    `controls that were not silent: ${list(result.loudControls)}`,
    `wrong verdicts: ${list(result.wrongVerdicts)}`,
    `slowest    ${(result.slowestMs / 1000).toFixed(1)} s  (limit ${BARS.limitMs / 1000} s; over it: ${list(result.slow)})`,
    result.met ? 'All bars are met.' : 'MISSED: not all bars are met.',
  ];
}

/** How other programs did by the same rules. */
export function baselineLines(baselines: readonly Baseline[]): string[] {
  return baselines.map(
    ({ name, score, noticed }) =>
      `${name}: recall ${part(score.recall)}, root first ${part(score.first)}, precision ${part(score.precision)}, ` +
      `loud controls ${score.loudControls.length}/${score.controls}; called ${noticed}/${score.faults} faults a fault at all`,
  );
}

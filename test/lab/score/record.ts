import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, release, totalmem, type as systemType } from 'node:os';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { CASES } from '../cases/all.ts';
import type { Baseline } from './baselines.ts';
import { mark, score, type Mark, type Said } from './score.ts';
import { baselineLines, rowOf, scoreLines } from './table.ts';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const RECORDED = fileURLToPath(new URL('../recorded.json', import.meta.url));
const BEGIN = '<!-- lab: begin -->';
const END = '<!-- lab: end -->';

/** What was said of each case when it was last asked for good. */
interface Recorded {
  machine: string;
  cases: Record<string, Said & { at: string; load: number }>;
  baselines: readonly Baseline[];
  /** When and under which load those were asked. */
  baselinesAt?: { at: string; load: number };
}

/** What was said of each case when it was last kept. */
export async function recorded(): Promise<Readonly<Record<string, Said>>> {
  const text = await readFile(RECORDED, 'utf8').catch(() => '{"cases":{}}');
  return (JSON.parse(text) as Recorded).cases;
}

/** Keeps what was said, beside what earlier runs kept of other cases, and writes table and score into the README. */
export async function record(marks: readonly Mark[], baselines: readonly Baseline[]): Promise<void> {
  const text = await readFile(RECORDED, 'utf8').catch(() => '{"cases":{},"baselines":[]}');
  const kept = JSON.parse(text) as Recorded;
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  kept.machine = `${systemType()} ${release()}, ${availableParallelism()} processors, ${gigabytes} GB, Node ${process.version}`;
  const at = new Date().toISOString().slice(0, 10);
  const load = Math.round(loadavg()[0] ?? 0);
  for (const { case: one, said } of marks) kept.cases[one.id] = { ...said, at, load };
  if (baselines.length > 0) Object.assign(kept, { baselines, baselinesAt: { at, load } });
  const known = CASES.filter(({ id }) => kept.cases[id] !== undefined);
  kept.cases = Object.fromEntries(known.map(({ id }) => [id, kept.cases[id]!]));
  await writeFile(RECORDED, await format(JSON.stringify(kept), { parser: 'json' }));
  await writeReadme(kept);
}

async function writeReadme(kept: Recorded): Promise<void> {
  const marks = CASES.flatMap((one) => {
    const said = kept.cases[one.id];
    return said === undefined ? [] : [mark(one, said)];
  });
  const all = Object.values(kept.cases);
  const days = all.map(({ at }) => at).toSorted();
  const loads = all.map(({ load }) => load).toSorted((a, b) => a - b);
  const missing = CASES.filter(({ id }) => kept.cases[id] === undefined).map(({ id }) => id);
  const body = [
    `${days[0]} to ${days.at(-1)}, ${kept.machine}; load average ${loads[0]} to ${loads.at(-1)}.` +
      (missing.length === 0 ? '' : ` Not recorded: ${missing.join(', ')}.`),
    ['```', ...scoreLines(score(marks)), '```'].join('\n'),
    ...baselineTexts(kept),
    tableOf(marks),
  ].join('\n\n');
  const [before = '', rest = ''] = (await readFile(README, 'utf8')).split(BEGIN);
  const whole = `${before}${BEGIN}\n\n${body}\n\n${END}${rest.split(END)[1] ?? ''}`;
  await writeFile(README, await format(whole, { parser: 'markdown', proseWrap: 'preserve' }));
}

function baselineTexts({ baselines, baselinesAt }: Recorded): string[] {
  const [first] = baselines;
  if (first === undefined || baselinesAt === undefined) return [];
  const { faults, controls } = first.score;
  const { at, load } = baselinesAt;
  return [
    `Other programs on ${faults} faults and ${controls} controls, ${at}, load average ${load}:`,
    ['```', ...baselineLines(baselines), '```'].join('\n'),
  ];
}

function tableOf(marks: readonly Mark[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', ' or ')).join(' | ')} |`;
  return [
    line(['Case', 'Fault', 'Expected', 'Said', 's', '']),
    line(['---', '---', '---', '---', '---', '---']),
    ...marks.map((one) => line(rowOf(one))),
  ].join('\n');
}

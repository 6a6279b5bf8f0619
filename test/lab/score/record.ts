import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, release, totalmem, type as systemType } from 'node:os';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import type { Baseline } from './baselines.ts';
import type { Mark, Score } from './score.ts';
import { rowOf, scoreLines } from './table.ts';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const BEGIN = '<!-- lab: begin -->';
const END = '<!-- lab: end -->';

/** Keeps table and score in the README of the lab, with machine and date. */
export async function record(
  marks: readonly Mark[],
  result: Score,
  baselines: readonly Baseline[],
): Promise<void> {
  const text = await readFile(README, 'utf8');
  const [before = '', rest = ''] = text.split(BEGIN);
  const [, after = ''] = rest.split(END);
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const machine = `${systemType()} ${release()}, ${availableParallelism()} processors, ${gigabytes} GB, Node ${process.version}`;
  const body = [
    `Run on ${new Date().toISOString().slice(0, 10)}: ${machine}, load ${loadavg()[0]?.toFixed(1)}.`,
    ['```', ...scoreLines(result, baselines), '```'].join('\n'),
    tableOf(marks),
  ].join('\n\n');
  const whole = `${before}${BEGIN}\n\n${body}\n\n${END}${after}`;
  await writeFile(README, await format(whole, { parser: 'markdown', proseWrap: 'preserve' }));
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

/**
 * `npm run lab`: makes every fault of the table, asks the doctor, and prints what it found and its score. Exit 1 when a bar is missed.
 *   --only IDS    these cases alone (F13,X02), or those that begin so (F6,C)
 *   --json        the marks as JSON on stdout instead of the table
 *   --baselines   asks curl, nc, a plain connect and a stock worker's log instead of the doctor, by the same rules
 *   --mutate      takes each check out, and shows that something is missed then; goes by what was last recorded
 *   --checks IDS  with --mutate: these checks alone (LIM,PTH-03)
 *   --record      keeps what was said of these cases, and table and score of all that are kept, in test/lab/README.md
 *   --show        prints what the doctor says to a person instead, and scores nothing
 *   --jobs N      so many cases at a time (2)
 */
import { parseArgs } from 'node:util';
import { CASES } from './cases/all.ts';
import { runBaselines } from './score/baselines.ts';
import { runCases } from './score/run.ts';
import { allFall, mutate, mutationLines } from './score/mutate.ts';
import { record } from './score/record.ts';
import { score } from './score/score.ts';
import { showCases } from './score/show.ts';
import { baselineLines, scoreLines, tableLines } from './score/table.ts';
import { whyNoStage } from './stage/stage.ts';
import { stagehands } from './stage/stagehands.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    baselines: { type: 'boolean', default: false },
    mutate: { type: 'boolean', default: false },
    checks: { type: 'string', default: '' },
    record: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
  },
});
const idsIn = (text: string) => text.split(',').filter((id) => id !== '');
const wanted = idsIn(options.only);
const cases = CASES.filter(({ id }) => wanted.length === 0 || wanted.some((part) => id.startsWith(part)));
const why = whyNoStage();
if (cases.length === 0)
  refuse(`no case "${options.only}"; there are: ${CASES.map(({ id }) => id).join(', ')}`);
else if (!/^[1-9]$/.test(options.jobs)) refuse(`--jobs ${options.jobs}: want a number from 1 to 9`);
else if (why !== undefined) refuse(`NOT RUN: ${why}`);
else await runLab();

async function runLab(): Promise<void> {
  await using hands = await stagehands(cases);
  const run = {
    hands,
    jobs: Number(options.jobs),
    tell: (line: string) => process.stderr.write(`${line}\n`),
  };
  if (options.show) return await showCases(cases, run);
  if (options.mutate) {
    const mutants = await mutate(cases, idsIn(options.checks), run);
    process.stdout.write(`${mutationLines(mutants).join('\n')}\n`);
    process.exitCode = allFall(mutants) ? 0 : 1;
    return;
  }
  if (options.baselines) {
    const baselines = await runBaselines(cases, run);
    process.stdout.write(`${baselineLines(baselines).join('\n')}\n`);
    if (options.record) await record([], baselines);
    return;
  }
  const marks = await runCases(cases, run);
  const result = score(marks);
  if (options.json) process.stdout.write(`${JSON.stringify({ score: result, marks }, null, 2)}\n`);
  else process.stdout.write(`${[...tableLines(marks), '', ...scoreLines(result)].join('\n')}\n`);
  if (options.record) await record(marks, []);
  process.exitCode = result.met ? 0 : 1;
}

function refuse(words: string): void {
  process.stderr.write(`${words}\n`);
  process.exitCode = 2;
}

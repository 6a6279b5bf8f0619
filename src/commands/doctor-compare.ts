import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { doctorReport, type DoctorReport } from '../api/doctor.ts';
import { BbxError, errnoOf } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { compareReports } from '../diagnostics/compare.ts';
import { sideOf } from '../diagnostics/compare-sides.ts';
import { namesInReports } from '../diagnostics/share-names.ts';
import { createPseudonyms } from '../diagnostics/share.ts';
import { reportOfProbeLines } from '../diagnostics/probe-lines.ts';
import { exitOf } from '../diagnostics/report.ts';
import { withoutSecrets } from '../diagnostics/without-secrets.ts';
import { printReport } from '../diagnostics/words.ts';
import type { DoctorOptions } from './doctor-options.ts';
import { lookOf } from './doctor-look.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer } from './terminal/print.ts';

/** How both files come to be. */
const MAKE_ONE =
  'Make one at each end: bbx doctor reach HOST:PORT --report worker.json, and bbx doctor --dir ./master --report master.json';
/** A report of a large farm has some hundred kilobytes. */
const MOST_BYTES = 32 << 20;

/** `bbx doctor compare A.json B.json`: what two reports, one of each end, say together. */
export async function compareFiles(
  context: Context,
  files: readonly [string, string],
  options: Pick<DoctorOptions, 'strict' | 'failOn' | 'verbose' | 'share'>,
): Promise<void> {
  const [one, other] = await Promise.all(
    files.map(async (file) => sideOf(file, await readReport(context, file))),
  );
  if (isDeepStrictEqual(one!.report, other!.report))
    throw codes['BBX-USAGE']({
      problem: `"${files[0]}" and "${files[1]}" are one report: there is nothing to compare`,
      hint: MAKE_ONE,
    });
  const started = performance.now();
  const reported = compareReports(one!, other!);
  const disguise =
    options.share === true ? createPseudonyms(namesInReports([one!.report, other!.report])) : same;
  const plain = withoutSecrets(reported.report);
  const report = disguise(options.share === true ? { ...plain, shared: true as const } : plain);
  answer(context, report, () =>
    printReport(
      {
        report,
        intent: undefined,
        heading: disguise(`compare ${files.join(' ')}`),
        ms: Math.round(performance.now() - started),
        verbose: options.verbose === true,
      },
      lookOf(context),
    ),
  );
  const exit = exitOf(reported, { strict: options.strict === true, failOn: options.failOn ?? 'error' });
  if (exit !== EXIT.ok) throw new Outcome(exit);
}

async function readReport(context: Context, file: string): Promise<DoctorReport> {
  const path = resolve(context.cwd, file);
  let text: string;
  try {
    if ((await stat(path)).size > MOST_BYTES)
      throw noReport(file, `it is larger than ${MOST_BYTES >> 20} MiB`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'EISDIR') throw noReport(file, 'it is a folder', error);
    const trouble = fileTrouble(error, file) ?? error;
    throw trouble instanceof BbxError && trouble.code === 'BBX-FILE-MISSING' ? notThere(trouble) : trouble;
  }
  const heard = reportOfProbeLines(text);
  if (heard !== undefined) return heard;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw noReport(file, 'it is no JSON', cause);
  }
  const read = doctorReport.safeParse(value);
  if (!read.success)
    throw noReport(file, `it does not have the form bbx.doctor/1${firstPlace(read.error.issues)}`);
  if (read.data.shared === true)
    throw codes['BBX-USAGE']({
      problem: `"${file}" was made with --share: its stand-ins are its own, so it cannot be joined with another report`,
      hint: 'Compare reports made without it, and show what comes of that: bbx doctor compare A.json B.json --share',
    });
  if (read.data.facts === undefined) throw noReport(file, 'it holds no facts, which --json leaves out');
  return read.data;
}

/** A report is no part of a farm: nobody has a backup of it, but it is soon made. */
function notThere(trouble: BbxError): BbxError {
  const { code, message, exit } = trouble;
  return new BbxError({ code, message, hint: MAKE_ONE, exit, cause: trouble.cause });
}

/** Where it begins to be something else; what zod says of all places is no sentence. */
function firstPlace(issues: readonly { readonly path: readonly PropertyKey[] }[]): string {
  const path = issues[0]?.path.map(String).join('.') ?? '';
  return path === '' ? '' : `, from "${path}" on`;
}

function noReport(file: string, why: string, cause?: unknown): BbxError {
  const problem = `"${file}" is no report to compare: ${why}`;
  return codes['BBX-USAGE']({ problem, hint: MAKE_ONE }, { cause });
}

const same = <Value>(value: Value): Value => value;

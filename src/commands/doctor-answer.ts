import { dirname, resolve } from 'node:path';
import type { ChangeObject, DoctorReport } from '../api/doctor.ts';
import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { writeWhole } from '../config/whole-file.ts';
import { documentOf } from '../diagnostics/document.ts';
import { pasted } from '../diagnostics/evidence.ts';
import type { Examined } from '../diagnostics/examine.ts';
import { exitOf } from '../diagnostics/report.ts';
import { namesIn } from '../diagnostics/share-names.ts';
import { createPseudonyms } from '../diagnostics/share.ts';
import type { DoctorOptions } from './doctor-options.ts';
import { reportText } from './doctor-look.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer } from './terminal/print.ts';
import { printable } from './terminal/printable.ts';
import { BBX_VERSION } from './version.ts';

export interface Answered {
  /** As it is to be seen: without facts, and with stand-ins where they are wanted. */
  readonly report: DoctorReport;
  /** What every other text of the run goes through. */
  readonly disguise: <Value>(value: Value) => Value;
  /** The report for people. */
  text(file?: string): string;
  /** Writes the report with its facts where only its owner reads it; what went wrong, if anything did. */
  keep(file: string): Promise<unknown>;
}

/** Dresses what was found for everybody who is to see it. */
export function dress(
  context: Context,
  examined: Examined,
  words: readonly string[],
  options: DoctorOptions,
  changes?: readonly ChangeObject[],
): Answered {
  const disguise = options.share === true ? createPseudonyms(namesIn(examined, context.env)) : same;
  const document = disguise({
    ...documentOf(examined, {
      bbx: BBX_VERSION,
      words,
      facts: options.report !== undefined,
      shared: options.share === true,
    }),
    ...(changes === undefined ? {} : { changes: [...changes] }),
  });
  const { facts: _, ...report } = document;
  return {
    report,
    disguise,
    text: (file) =>
      reportText(context, {
        examined,
        report: printable(report),
        words,
        verbose: options.verbose === true,
        file,
        disguise,
      }),
    keep: async (file) => {
      try {
        const text = `${JSON.stringify(document, null, 2)}\n`;
        await writeWhole(resolve(context.cwd, file), text, { mode: 0o600 });
        return undefined;
      } catch (error) {
        return unkept(fileTrouble(error, file) ?? error, file);
      }
    },
  };
}

/** A report is new: that it is not there is no loss, but its folder must be. */
function unkept(trouble: unknown, file: string): unknown {
  if (!(trouble instanceof BbxError) || trouble.code !== 'BBX-FILE-MISSING') return trouble;
  return new BbxError({
    code: trouble.code,
    message: `Cannot write report "${file}": its folder is not there`,
    hint: `Make it first: mkdir -p ${pasted(dirname(file))}`,
    exit: trouble.exit,
    cause: trouble.cause,
  });
}

/** Prints and keeps the report, and ends with its exit code. */
export async function answerWith(
  context: Context,
  examined: Examined,
  answered: Answered,
  options: DoctorOptions,
): Promise<void> {
  // A report that cannot be written must not cost the person what was found.
  const failed = options.report === undefined ? undefined : await answered.keep(options.report);
  answer(context, answered.report, () => answered.text(failed === undefined ? options.report : undefined));
  endWith(examined, options, failed);
}

/** After the answer, which is there at once. */
const LEAVE_MS = 1_000;

/** The exit code of a look whose answer is told, or what went wrong with keeping it. */
export function endWith(examined: Examined, options: DoctorOptions, failed: unknown): void {
  if (examined.isUnread) {
    // A thread that waits for a file system keeps the process from its end, even from process.exit(); a program in its place has none.
    setTimeout(() => {
      process.execve?.('/bin/sh', ['sh', '-c', `exit ${process.exitCode ?? EXIT.failed}`]);
    }, LEAVE_MS).unref();
  }
  if (failed !== undefined) throw failed;
  const exit = exitOf(examined, { strict: options.strict === true, failOn: options.failOn ?? 'error' });
  if (exit !== EXIT.ok) throw new Outcome(exit);
}

const same = <Value>(value: Value): Value => value;

import { resolve } from 'node:path';
import type { DoctorReport } from '../api/doctor.ts';
import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import { findDirectory } from '../client/find-directory.ts';
import { writeWhole } from '../config/whole-file.ts';
import { TOPICS, type Topic } from '../diagnostics/check.ts';
import { selectChecks } from '../diagnostics/catalogue.ts';
import { examine } from '../diagnostics/examine.ts';
import { documentOf } from '../diagnostics/document.ts';
import { exitOf } from '../diagnostics/report.ts';
import { namesIn } from '../diagnostics/share-names.ts';
import { createPseudonyms } from '../diagnostics/share.ts';
import type { TargetProtocol } from '../diagnostics/subject.ts';
import { assertChecks, listChecks } from './doctor-checks.ts';
import { reportText } from './doctor-look.ts';
import { questionOf } from './doctor-question.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer, note } from './terminal/print.ts';
import { BBX_VERSION } from './version.ts';

export interface DoctorOptions {
  dir?: string;
  listen?: string[];
  stock?: string;
  server?: string;
  protocol?: TargetProtocol;
  verbose?: boolean;
  only?: string[];
  skip?: string[];
  list?: boolean;
  strict?: boolean;
  failOn?: 'error' | 'warn' | 'unknown';
  budget?: number;
  soak?: boolean;
  report?: string;
  share?: boolean;
}

/** With `--soak`: the longest rest, and what stands around it. */
const SOAK_BUDGET_MS = 330_000;
/** After so long without an answer, it is said what is waited for. */
const PATIENCE_MS = 1_000;

/** `bbx doctor [topic] …`: prints the report and ends with its exit code. */
export async function runDoctor(
  context: Context,
  topic: Topic | undefined,
  words: readonly string[],
  options: DoctorOptions,
): Promise<void> {
  const selection = { topic, only: options.only ?? [], skip: options.skip ?? [] };
  if (options.list === true) {
    assertChecks({ ...selection, topic: undefined });
    return listChecks(context, selection, options.verbose === true);
  }
  assertChecks(selection);
  // Who names a directory means one that is there; without a name, none is needed.
  if (options.dir !== undefined)
    findDirectory({ cwd: context.cwd, named: options.dir, roles: ['master', 'worker'] });

  const waiting = new Set(selectChecks(selection).map(({ id }) => id));
  const timer =
    context.json || !context.stderr.isTTY
      ? undefined
      : setInterval(
          () =>
            note(
              context,
              `Waiting for ${[...waiting].slice(0, 6).join(', ')}${waiting.size > 6 ? ' …' : ''}`,
            ),
          PATIENCE_MS * 2,
        );
  const left = new Map<string, number>();
  try {
    const examined = await examine({
      question: questionOf(topic, words, options),
      cwd: context.cwd,
      dir: options.dir,
      env: context.env,
      software: `bbx ${BBX_VERSION} doctor`,
      budgetMs: options.soak === true ? Math.max(options.budget ?? 0, SOAK_BUDGET_MS) : options.budget,
      only: selection.only,
      skip: selection.skip,
      signal: context.signal,
      onOutcome: ({ check }) => {
        const total = left.get(check.id) ?? 0;
        left.set(check.id, total + 1);
        waiting.delete(check.id);
      },
    });
    const said = [...(topic === undefined ? [] : [topic]), ...words];
    const disguise = options.share === true ? createPseudonyms(namesIn(examined, context.env)) : same;
    const document = documentOf(examined, {
      bbx: BBX_VERSION,
      words: said,
      facts: options.report !== undefined,
    });
    const shared = disguise(document);
    const { facts: _, ...report } = shared;
    // A report that cannot be written must not cost the person what was found.
    const failed = options.report === undefined ? undefined : await keep(context, options.report, shared);
    answer(context, report, () =>
      reportText(context, {
        examined,
        report,
        words: said,
        verbose: options.verbose === true,
        file: failed === undefined ? options.report : undefined,
        disguise,
      }),
    );
    if (failed !== undefined) throw failed;
    const exit = exitOf(examined, { strict: options.strict === true, failOn: options.failOn ?? 'error' });
    if (exit !== EXIT.ok) throw new Outcome(exit);
  } finally {
    clearInterval(timer);
  }
}

const same = <Value>(value: Value): Value => value;

/** Writes the report where only its owner reads it; what went wrong, if anything did. */
async function keep(context: Context, file: string, report: DoctorReport): Promise<unknown> {
  const path = resolve(context.cwd, file);
  try {
    await writeWhole(path, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
    return undefined;
  } catch (error) {
    return fileTrouble(error, file) ?? error;
  }
}

/** The error for a word behind `bbx doctor` that is none of its topics. */
export function unknownTopic(word: string): BbxError {
  const near = didYouMean(word, TOPICS);
  return codes['BBX-USAGE']({
    problem: `"${word}" is no topic of the doctor${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: `Topics are ${TOPICS.join(', ')}${/[.:]/.test(word) ? `; to try an address: bbx doctor reach ${word}` : ''}`,
  });
}

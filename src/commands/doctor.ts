import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import { findDirectory } from '../client/find-directory.ts';
import { TOPICS, type Topic } from '../diagnostics/check.ts';
import { selectChecks } from '../diagnostics/catalogue.ts';
import { examine } from '../diagnostics/examine.ts';
import { exitOf } from '../diagnostics/report.ts';
import type { TargetProtocol } from '../diagnostics/subject.ts';
import { printReport, type Look } from '../diagnostics/words.ts';
import { assertChecks, listChecks } from './doctor-checks.ts';
import { questionOf } from './doctor-question.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer, note, styleOf } from './terminal/print.ts';
import { BBX_VERSION } from './version.ts';

export interface DoctorOptions {
  dir?: string;
  listen?: string[];
  server?: string;
  protocol?: TargetProtocol;
  verbose?: boolean;
  only?: string[];
  skip?: string[];
  list?: boolean;
  strict?: boolean;
  failOn?: 'error' | 'warn' | 'unknown';
  budget?: number;
}

/** A terminal that is wider is not used: sentences of more than this are hard to read. */
const WIDEST = 100;
/** Under this the columns of the report leave no room for its words; the terminal then breaks the lines. */
const NARROWEST = 60;
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
      budgetMs: options.budget,
      only: selection.only,
      skip: selection.skip,
      signal: context.signal,
      onOutcome: ({ check }) => {
        const total = left.get(check.id) ?? 0;
        left.set(check.id, total + 1);
        waiting.delete(check.id);
      },
    });
    const { report } = examined;
    answer(context, report, () =>
      printReport(
        {
          report,
          intent: examined.intent,
          heading: headingOf(topic, words, examined.plan),
          ms: examined.ms,
          verbose: options.verbose === true,
          hostAlone: examined.plan.subjects.every(({ kind }) => kind === 'host'),
        },
        lookOf(context),
      ),
    );
    const exit = exitOf(examined, { strict: options.strict === true, failOn: options.failOn ?? 'error' });
    if (exit !== EXIT.ok) throw new Outcome(exit);
  } finally {
    clearInterval(timer);
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

function headingOf(
  topic: Topic | undefined,
  words: readonly string[],
  plan: Awaited<ReturnType<typeof examine>>['plan'],
): string {
  if (topic !== undefined) return [topic, ...words].join(' ');
  const targets = plan.subjects.filter((subject) => subject.kind === 'target').map(({ text }) => text);
  const where = plan.vantage === 'here' ? 'this host' : plan.vantage.replace(':', ' ');
  return targets[0] === undefined
    ? where
    : `${where} -> ${targets[0]}${targets.length > 1 ? ` and ${targets.length - 1} more` : ''}`;
}

function lookOf(context: Context): Look {
  const { paint } = styleOf(context);
  const locale = context.env['LC_ALL'] ?? context.env['LC_CTYPE'] ?? context.env['LANG'] ?? '';
  return {
    width: Math.min(WIDEST, Math.max(NARROWEST, context.stdout.isTTY ? context.stdout.columns : 80)),
    symbols: context.color && /utf-?8/i.test(locale),
    paint,
  };
}

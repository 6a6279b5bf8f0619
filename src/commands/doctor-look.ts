import type { DoctorReport } from '../api/doctor.ts';
import type { Examined } from '../diagnostics/examine.ts';
import { printReport, type Look } from '../diagnostics/words.ts';
import type { Context } from './terminal/context.ts';
import { styleOf } from './terminal/print.ts';

/** A terminal that is wider is not used: sentences of more than this are hard to read, and reports are pasted into mails. */
const WIDEST = 80;
/** Under this the columns of the report leave no room for its words; the terminal then breaks the lines. */
const NARROWEST = 60;

/** How the report may look on this terminal, or without one. */
export function lookOf(context: Context): Look {
  const { paint } = styleOf(context);
  const locale = context.env['LC_ALL'] ?? context.env['LC_CTYPE'] ?? context.env['LANG'] ?? '';
  return {
    width: Math.min(WIDEST, Math.max(NARROWEST, context.stdout.isTTY ? context.stdout.columns : 80)),
    symbols: context.color && /utf-?8/i.test(locale),
    paint,
  };
}

export interface Shown {
  readonly examined: Examined;
  /** The report as it is to be seen. */
  readonly report: DoctorReport;
  readonly words: readonly string[];
  readonly verbose: boolean;
  /** Where the report was written to. */
  readonly file?: string | undefined;
  /** What every other text of the run goes through, `--share`. */
  readonly disguise: (text: string) => string;
}

/** The report for people. */
export function reportText(context: Context, shown: Shown): string {
  const { examined, report, verbose, file, disguise } = shown;
  const { intent, plan, ms } = examined;
  return printReport(
    {
      report,
      intent: { ...intent, source: disguise(intent.source) },
      heading: disguise(headingOf(shown.words, plan)),
      ms,
      verbose,
      hostAlone: plan.subjects.every(({ kind }) => kind === 'host'),
      ...(file === undefined ? {} : { file }),
      ...(EMPTY[shown.words.join(' ')] === undefined ? {} : { emptyHint: EMPTY[shown.words.join(' ')] }),
    },
    lookOf(context),
  );
}

/** What to say where nothing of the topic was there. */
const EMPTY: Readonly<Record<string, string>> = {
  config: 'No configuration was found here. To name one: bbx doctor config PATH',
  source: 'No repository was found here. To name one: bbx doctor source URL',
  mail: 'No mail server or web service is named here. To name one: bbx doctor mail HOST:PORT',
  clock: 'No master is named here, against whose clock this one could be held.',
};

/** What was looked at: the words of the call, or from where to where. */
function headingOf(words: readonly string[], plan: Examined['plan']): string {
  if (words.length > 0) return words.join(' ');
  const targets = plan.subjects.filter((subject) => subject.kind === 'target').map(({ text }) => text);
  const where = plan.vantage === 'here' ? 'this host' : plan.vantage.replace(':', ' ');
  return targets[0] === undefined
    ? where
    : `${where} -> ${targets[0]}${targets.length > 1 ? ` and ${targets.length - 1} more` : ''}`;
}

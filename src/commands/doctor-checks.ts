import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import { catalogue, selectChecks, strangers, type Selection } from '../diagnostics/catalogue.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { answer, table } from './terminal/print.ts';

/** The error for a word that should name a check or a family of them. */
export function noSuchCheck(word: string): BbxError {
  const near = didYouMean(
    word.toUpperCase(),
    catalogue.flatMap(({ id }) => [id, id.split('-')[0] ?? id]),
  );
  return new BbxError({
    code: 'BBX-USAGE',
    message: `"${word}" is no check${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: 'See all of them with: bbx doctor --list',
    exit: EXIT.notFound,
  });
}

/** Throws for words that name nothing, and when nothing is left to ask. */
export function assertChecks(selection: Selection): void {
  const [unknown] = strangers([...selection.only, ...selection.skip]);
  if (unknown !== undefined) throw noSuchCheck(unknown);
  if (selectChecks(selection).length === 0)
    throw codes['BBX-USAGE']({
      problem: 'No check is left to ask',
      hint: `See those of the topic with: bbx doctor${selection.topic === undefined ? '' : ` ${selection.topic}`} --list`,
    });
}

/** `--list`. */
export function listChecks(context: Context, selection: Selection, verbose: boolean): void {
  const checks = selectChecks(selection).map(({ id, title, topics, needs }) => ({
    id,
    title,
    topics,
    needs,
  }));
  answer(context, checks, () =>
    table(
      context,
      [
        { heading: 'ID', value: ({ id }) => id },
        { heading: 'QUESTION', value: ({ title }) => title },
        // The column is wide; a terminal gets it when all is asked for.
        ...(verbose || !context.stdout.isTTY
          ? [{ heading: 'TOPICS', value: ({ topics }: { topics: readonly string[] }) => topics.join(' ') }]
          : []),
      ],
      checks,
    ),
  );
}

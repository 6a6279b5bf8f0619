import { resolve } from 'node:path';
import { BbxError } from '../base/error.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import { findDirectory } from '../client/find-directory.ts';
import { TOPICS, type Topic } from '../diagnostics/check.ts';
import { holdsStock } from '../diagnostics/doors/stock.ts';
import { readsStock } from '../diagnostics/places.ts';
import { assertChecks, listChecks } from './doctor-checks.ts';
import { answerWith, dress } from './doctor-answer.ts';
import type { DoctorOptions } from './doctor-options.ts';
import { createLook } from './doctor-run.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';

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
  if (options.dir !== undefined) await assertDirectory(context, options.dir, topic);

  const said = [...(topic === undefined ? [] : [topic]), ...words];
  if (options.watch === true || options.untilOk === true) {
    if (options.fix === true)
      throw codes['BBX-USAGE']({
        problem: '--fix and --watch do not go together',
        hint: 'Leave one of them out',
      });
    const { watchDoctor } = await import('./doctor-watch.ts');
    return watchDoctor(context, createLook(context, topic, words, options), said, selection, options);
  }
  if (options.jsonl === true) {
    const { streamDoctor } = await import('./doctor-lines.ts');
    return streamDoctor(
      context,
      (onOutcome) => createLook(context, topic, words, options, onOutcome),
      said,
      options,
    );
  }
  const look = createLook(context, topic, words, options);
  if (options.fix !== true) {
    const examined = await look();
    return answerWith(context, examined, dress(context, examined, said, options), options);
  }
  const { fix } = await import('./doctor-fix.ts');
  const { examined, changes } = await fix(context, look, {
    yes: options.yes === true,
    show: (before, proposed) => {
      context.stdout.write(`${dress(context, before, said, options, proposed).text()}\n`);
    },
  });
  await answerWith(context, examined, dress(context, examined, said, options, changes), options);
}

/** Throws BBX-API-NO-DIRECTORY for a directory that is neither bbx's nor, for a topic that reads its files, stock Buildbot's. */
async function assertDirectory(context: Context, named: string, topic: Topic | undefined): Promise<void> {
  try {
    findDirectory({ cwd: context.cwd, named, roles: ['master', 'worker'] });
  } catch (error) {
    const isNone = error instanceof BbxError && error.code === 'BBX-API-NO-DIRECTORY';
    if (!isNone || !readsStock(topic) || !(await holdsStock(resolve(context.cwd, named)))) throw error;
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

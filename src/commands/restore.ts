import { relative, resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { restoreBackup, type RestoreSummary } from '../backup/restore.ts';
import { shellWord } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';
import { createProgress } from './terminal/progress.ts';
import { countWords } from './words.ts';

export interface RestoreOptions {
  store?: string;
  damaged?: boolean;
}

/** Makes a master's directory from a backup; `-` reads it from stdin. */
export async function restore(
  context: Context,
  file: string,
  dir: string,
  options: RestoreOptions,
): Promise<void> {
  const { signal, env } = context;
  using progress = createProgress(context);
  progress.wait('restoring');
  const summary = await restoreBackup({
    source: file === '-' ? context.stdin : resolve(context.cwd, file),
    dir: resolve(context.cwd, dir),
    store: options.store,
    damaged: options.damaged === true,
    clock: systemClock,
    ...{ signal, env },
    onProgress: (text) => progress.now(text),
  });
  progress.stop();
  answer(context, summary, () => words(context, summary).join('\n'));
}

function words(context: Context, summary: RestoreSummary): string[] {
  const { rows, logs, running, missing, pruned, damage } = summary;
  const shown = relative(context.cwd, summary.dir) || '.';
  const dir = shellWord(shown.startsWith('..') ? summary.dir : shown);
  return [
    `Restored to ${dir}, as of ${new Date(summary.takenAt * 1000).toISOString()}: ${countWords(rows, 'row')} in ${summary.store}, ${countWords(logs, 'log')}.`,
    ...(damage === null ? [] : [`The backup is damaged (${damage}); the logs behind that are missing.`]),
    ...(missing + pruned === 0
      ? []
      : [`${countWords(missing + pruned, 'log')} had no file in the farm any more.`]),
    ...(running === 0
      ? []
      : [`${countWords(running, 'build')} ran then: tried again when the master starts.`]),
    'This is a new life of the store: what workers still have of builds that were begun after the backup is set aside there, and reported.',
    '',
    'Next:',
    `  see what it listens on and how workers find it (listen, reach): bbx config show --dir ${dir}`,
    `  the old master must not run any more; then: bbx run master ${dir}`,
  ];
}

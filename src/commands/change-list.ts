import type { ChangeObject } from '../api/objects.ts';
import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, table, type Column } from './terminal/print.ts';
import { sourceWords } from './words.ts';

export interface ListChangesOptions extends DirOptions {
  limit: number;
}

/** Columns that a subject gets at a terminal; git's own advice for its first line. */
const SUBJECT_COLUMNS = 50;

const COLUMNS: readonly Column<ChangeObject>[] = [
  { heading: 'CHANGE', value: ({ changeid }) => `c${changeid}` },
  { heading: 'REPOSITORY', value: ({ repository }) => repository },
  { heading: 'SOURCE', value: (change, style) => sourceWords(change, style) },
  { heading: 'WHEN', value: ({ when_timestamp }, style) => style.time(when_timestamp) },
  { heading: 'AUTHOR', value: ({ author }) => author || '-' },
  {
    heading: 'COMMENTS',
    value: ({ comments }, { short }) => (short ? subjectOf(comments) : comments) || '-',
  },
];

/** `bbx change list`: changes, newest first. */
export async function listChanges(context: Context, options: ListChangesOptions): Promise<void> {
  await using client = openFarm(context, options);
  const query = { limit: options.limit };
  const changes = await client.call('changes', { query }, { signal: context.signal });
  answer(context, changes, (_, list) =>
    list.length === 0 && context.stdout.isTTY
      ? 'No changes. They come with polling (repositories: of master.yaml) or: bbx change send'
      : table(context, COLUMNS, list),
  );
}

function subjectOf(comments: string): string {
  const [first = ''] = comments.trim().split('\n');
  return first.length > SUBJECT_COLUMNS ? `${first.slice(0, SUBJECT_COLUMNS - 1)}…` : first;
}

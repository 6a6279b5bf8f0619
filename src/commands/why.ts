import type { WhyObject } from '../api/objects.ts';
import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, table, type Column } from './terminal/print.ts';

const COLUMNS: readonly Column<WhyObject['reasons'][number]>[] = [
  { heading: 'ABOUT', value: ({ about }) => about },
  { heading: 'REASON', value: ({ reason }) => reason },
  { heading: 'SINCE', value: ({ since }, style) => style.time(since) },
];

/** `bbx why`: why something waits, was built, or was not. */
export async function showWhy(context: Context, subject: string, options: DirOptions): Promise<void> {
  await using client = openFarm(context, options);
  const why = await client.call('why', { params: { subject } }, { signal: context.signal });
  answer(context, why, (_, seen) => {
    const head = context.stdout.isTTY
      ? `${seen.subject}: ${seen.summary}`
      : `${seen.subject}\t${seen.summary.replaceAll(/\s+/g, ' ')}`;
    return seen.reasons.length === 0 ? head : `${head}\n${table(context, COLUMNS, seen.reasons)}`;
  });
}

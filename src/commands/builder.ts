import type { BuilderObject } from '../api/objects.ts';
import { BUILD_COLUMNS } from './build-list.ts';
import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, facts, table, type Column } from './terminal/print.ts';
import { printable } from './terminal/printable.ts';
import { resultWord } from './words.ts';

/** Newest builds on a builder's page. */
const SHOWN_BUILDS = 10;

const COLUMNS: readonly Column<BuilderObject>[] = [
  { heading: 'BUILDER', value: ({ name }) => name },
  {
    heading: 'LAST',
    value: ({ name, last }, style) =>
      last === null ? '-' : `${name}/${last.number} ${resultWord(style, last.result)}`,
  },
  { heading: 'ENDED', value: ({ last }, style) => style.time(last?.complete_at ?? null) },
  { heading: 'RUNNING', value: ({ running }) => String(running) },
  { heading: 'WAITING', value: ({ pending }) => String(pending) },
  {
    heading: 'WORKERS',
    value: ({ workers }, style) => (workers.length === 0 ? style.paint.yellow('none') : workers.join(', ')),
  },
  {
    heading: 'TAGS',
    value: ({ tags, active }) => [...tags, ...(active ? [] : ['(retired)'])].join(', ') || '-',
  },
];

/** `bbx builder list`. */
export async function listBuilders(context: Context, options: DirOptions): Promise<void> {
  await using client = openFarm(context, options);
  const builders = await client.call('builders', {}, { signal: context.signal });
  answer(context, builders, (_, list) =>
    list.length === 0 && context.stdout.isTTY
      ? 'No builders. Add one: bbx builder add NAME --run CMD'
      : table(context, COLUMNS, list),
  );
}

/** With `--json` the builder alone, as the API gives it; its builds are `build list --builder`. */
export async function showBuilder(context: Context, name: string, options: DirOptions): Promise<void> {
  await using client = openFarm(context, options);
  const { signal } = context;
  const builder = await client.call('builder', { params: { builder: name } }, { signal });
  const builds = context.json
    ? []
    : await client.call('builds', { query: { builder: name, limit: SHOWN_BUILDS } }, { signal });
  answer(context, builder, (style, seen) => {
    const head = facts(context, [
      ['builder', style.paint.bold(seen.name) + (seen.active ? '' : ' (no longer in the configuration)')],
      ['tags', seen.tags.join(', ') || '-'],
      ['workers', seen.workers.join(', ') || 'none is connected that fits'],
      ['running', String(seen.running)],
      ['waiting', String(seen.pending)],
    ]);
    if (builds.length === 0) return head;
    return [head, table(context, BUILD_COLUMNS, printable(builds))].join(
      context.stdout.isTTY ? '\n\n' : '\n',
    );
  });
}

import type { BuildObject } from '../api/objects.ts';
import { buildTitle } from '../build/title.ts';
import { openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, table, type Column } from './terminal/print.ts';
import { resultWord, sourceWords, tookWords } from './words.ts';

export interface ListBuildsOptions extends DirOptions {
  builder?: string;
  worker?: string;
  running?: boolean;
  limit: number;
}

/** How lists show builds. */
export const BUILD_COLUMNS: readonly Column<BuildObject>[] = [
  { heading: 'BUILD', value: (build) => buildTitle(build) },
  { heading: 'RESULT', value: (build, style) => resultWord(style, build.result) },
  { heading: 'SOURCE', value: (build, style) => sourceWords(build, style) },
  { heading: 'WORKER', value: (build) => build.worker },
  { heading: 'STARTED', value: (build, style) => style.time(build.started_at) },
  { heading: 'TOOK', value: (build) => tookWords(build) },
  { heading: 'STATE', value: (build) => build.state_string },
];

/** `bbx build list`: builds, newest first. */
export async function listBuilds(context: Context, options: ListBuildsOptions): Promise<void> {
  const { builder, worker, running, limit } = options;
  await using client = openFarm(context, options);
  const builds = await client.call(
    'builds',
    {
      query: {
        limit,
        ...(builder === undefined ? {} : { builder }),
        ...(worker === undefined ? {} : { worker }),
        ...(running === true ? { complete: 'false' } : {}),
      },
    },
    { signal: context.signal },
  );
  answer(context, builds, (_, list) =>
    list.length === 0 && context.stdout.isTTY
      ? 'No builds. Start one: bbx build start BUILDER'
      : table(context, BUILD_COLUMNS, list),
  );
}

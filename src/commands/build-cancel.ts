import { buildName, openFarm, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';
import { buildTitle } from './words.ts';

export interface CancelOptions extends DirOptions {
  reason: string;
}

export async function cancelBuild(context: Context, text: string, options: CancelOptions): Promise<void> {
  const name = buildName(text);
  await using client = openFarm(context, options);
  const { signal } = context;
  const body = { reason: options.reason };
  if (name.kind === 'request') {
    const request = await client.call('cancelRequest', { params: { request: name.id }, body }, { signal });
    answer(context, request, () =>
      request.complete
        ? `r${request.buildrequestid} ${request.result ?? 'complete'}`
        : `r${request.buildrequestid} is being cancelled`,
    );
    return;
  }
  const build = await client.call('cancelBuild', { params: { build: name.build }, body }, { signal });
  answer(context, build, (_, { builder, number, complete, result }) => {
    const title = buildTitle({ builder, number });
    return complete ? `${title} ${result ?? 'complete'}` : `${title} is being cancelled`;
  });
}

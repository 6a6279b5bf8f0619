import { BbxError } from '../base/error.ts';
import type { Client } from '../client/client.ts';
import { buildTitle } from '../build/title.ts';
import { buildName, openFarm, type DirOptions } from './farm.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';

export interface CancelOptions extends DirOptions {
  reason: string;
}

/** When a builder was named whose newest build has ended: which of its builds run. */
async function olderRunning(
  client: Client,
  builder: string,
  error: unknown,
  signal: AbortSignal,
): Promise<Error | undefined> {
  if (!(error instanceof BbxError) || error.code !== 'BBX-API-COMPLETE' || /\/|^\d+$/.test(builder))
    return undefined;
  const query = { builder, complete: 'false' as const, limit: 10 };
  const running = await client.call('builds', { query }, { signal });
  return running.length === 0
    ? undefined
    : codes['BBX-API-WHICH-BUILD']({ builder, running: running.map(buildTitle) });
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
  const build = await client
    .call('cancelBuild', { params: { build: name.build }, body }, { signal })
    .catch(async (error: unknown) => {
      throw (await olderRunning(client, name.build, error, signal)) ?? error;
    });
  answer(context, build, (_, { builder, number, complete, result }) => {
    const title = buildTitle({ builder, number });
    return complete ? `${title} ${result ?? 'complete'}` : `${title} is being cancelled`;
  });
}

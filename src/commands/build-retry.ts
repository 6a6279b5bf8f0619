import { follow } from './build-follow.ts';
import type { WatchOptions } from './build-watch.ts';
import { buildName, openFarm, sameDir } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, note } from './terminal/print.ts';

/** `bbx build retry`: the same sources and properties again, as a new request; of a request also when no build had begun. */
export async function retryBuild(
  context: Context,
  text: string,
  options: WatchOptions & { wait?: boolean },
): Promise<void> {
  const name = buildName(text);
  await using client = openFarm(context, options);
  const { signal } = context;
  const request = await (name.kind === 'request'
    ? client.call('retryRequest', { params: { request: name.id } }, { signal })
    : client.call('retryBuild', { params: { build: name.build } }, { signal }));
  const title = `r${request.buildrequestid}`;
  if (options.wait === true || options.waitLimit !== undefined) {
    note(context, `Request ${title} for ${request.builder}`);
    await follow(context, client, request.buildrequestid, {
      waitLimitMs: options.waitLimit,
      at: sameDir(options),
    });
  }
  answer(context, request, () => title);
  note(context, `Follow it: bbx build watch ${title}${sameDir(options)}`);
}

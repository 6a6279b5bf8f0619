import { follow } from './build-follow.ts';
import { buildName, openFarm, sameDir, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';

export interface WatchOptions extends DirOptions {
  waitLimit?: number;
}

/** `bbx build watch`: follows a build to its end, with its exit code. */
export async function watchBuild(context: Context, text: string, options: WatchOptions): Promise<void> {
  const name = buildName(text);
  await using client = openFarm(context, options);
  const waitLimitMs = options.waitLimit;
  const at = sameDir(options);
  if (name.kind === 'request') {
    const params = { request: name.id };
    const request = await client.call('request', { params }, { signal: context.signal });
    await follow(context, client, request.buildrequestid, { waitLimitMs, at });
    return;
  }
  const build = await client.call('build', { params: { build: name.build } }, { signal: context.signal });
  await follow(context, client, build.buildrequestid, { until: build.buildid, waitLimitMs, at });
}

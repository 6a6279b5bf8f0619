import { follow } from './build-follow.ts';
import { openFarm, sameDir, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, note } from './terminal/print.ts';

export interface StartOptions extends DirOptions {
  branch?: string;
  revision?: string;
  reason: string;
  property?: Record<string, string>;
  priority: number;
  wait?: boolean;
  waitLimit?: number;
}

/** `bbx build start`: asks for a build; with `--wait` it ends as the build does. */
export async function startBuild(context: Context, builder: string, options: StartOptions): Promise<void> {
  const { branch, revision, reason, priority, property = {} } = options;
  await using client = openFarm(context, options);
  const request = await client.call(
    'startBuild',
    {
      body: {
        builder,
        reason,
        priority,
        properties: property,
        ...(branch === undefined ? {} : { branch }),
        ...(revision === undefined ? {} : { revision }),
      },
    },
    { signal: context.signal },
  );
  const name = `r${request.buildrequestid}`;
  if (options.wait === true || options.waitLimit !== undefined) {
    note(context, `Request ${name} for ${builder}`);
    await follow(context, client, request.buildrequestid, {
      waitLimitMs: options.waitLimit,
      at: sameDir(options),
    });
  }
  answer(context, request, () => name);
  note(context, `Follow it: bbx build watch ${name}${sameDir(options)}`);
}

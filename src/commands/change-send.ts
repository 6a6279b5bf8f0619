import { openFarm, sameDir, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, note } from './terminal/print.ts';

export interface SendOptions extends DirOptions {
  repository: string;
  branch: string;
  revision: string;
  author: string;
  comments: string;
  file?: string[];
  property?: Record<string, string>;
}

/** `bbx change send`: tells the master of a push. */
export async function sendChange(context: Context, options: SendOptions): Promise<void> {
  const { repository, branch, revision, author, comments, file = [], property = {} } = options;
  await using client = openFarm(context, options);
  const change = await client.call(
    'sendChange',
    { body: { repository, branch, revision, author, comments, files: file, properties: property } },
    { signal: context.signal },
  );
  answer(context, change, () => `c${change.changeid}`);
  note(context, `What becomes of it: bbx why c${change.changeid}${sameDir(options)}`);
}

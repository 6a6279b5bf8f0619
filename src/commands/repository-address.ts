import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { gitUrl } from '../config/schema/sources.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';

/** What `--repository` means: an address, or a path, which becomes absolute since the farm runs elsewhere. Throws BBX-USAGE. */
export function repositoryAddress(context: Context, text: string): string {
  const isPath =
    /^\.{0,2}(?:\/|$)|^~\//.test(text) || (!/[:]/.test(text) && existsSync(resolve(context.cwd, text)));
  const address =
    isPath && !text.startsWith('-') ? resolve(context.cwd, text.replace(/^~(?=\/)/, homedir())) : text;
  const checked = gitUrl.safeParse(address);
  if (checked.success && text !== '') return address;
  const [issue] = checked.error?.issues ?? [];
  const fix =
    (issue?.code === 'custom' ? (issue.params as { fix?: string } | undefined)?.fix : undefined) ?? '';
  throw codes['BBX-USAGE']({
    problem: `--repository: ${text === '' ? 'it is empty' : (issue?.message ?? 'not an address')}`,
    ...(fix === '' ? {} : { hint: `${fix.charAt(0).toUpperCase()}${fix.slice(1)}` }),
  });
}

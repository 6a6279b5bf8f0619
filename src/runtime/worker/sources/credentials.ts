import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerbContext } from '../verbs/context.ts';

/**
 * Puts the credentials for one repository's host into a file (0600, outside the workspace) for as long as git works, and gives the words
 * that make git use it. Lines for other hosts are left out: a submodule on another host gets none of them.
 */
export async function writeCredentials(
  text: string,
  repository: string,
  context: VerbContext,
): Promise<AsyncDisposable & { options: readonly string[] }> {
  // The empty helper first: it takes back those of the machine's and the user's configuration.
  const nothing = { options: ['-c', 'credential.helper='], async [Symbol.asyncDispose]() {} };
  if (text === '') return nothing;
  const lines = text.split('\n').filter((line) => sameHost(line.trim(), repository));
  if (lines.length === 0) {
    await context.say("the credentials hold no line for this repository's host: none is used");
    return nothing;
  }
  const file = join(context.scratch, `credentials-${randomBytes(8).toString('hex')}`);
  await using handle = await open(file, 'wx', 0o600);
  // Over the handle: its name stands in a directory that the build's user may change.
  if (context.identity !== null) await handle.chown(context.identity.uid, context.identity.gid);
  await handle.writeFile(`${lines.map((line) => line.trim()).join('\n')}\n`);
  return {
    options: [...nothing.options, '-c', `credential.helper=store --file=${shellQuoted(file)}`],
    async [Symbol.asyncDispose]() {
      await rm(file, { force: true });
    },
  };
}

/** A repository's URL with its password, if it has one, moved into a line for git's credential store: a command line is for all to see. */
export function splitUrl(repository: string): { url: string; line: string | null } {
  const url = URL.parse(repository);
  if (url === null || url.password === '' || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return { url: repository, line: null };
  }
  const line = `${url.protocol}//${url.username}:${url.password}@${url.host}`;
  url.username = '';
  url.password = '';
  return { url: url.href, line };
}

function sameHost(line: string, repository: string): boolean {
  const given = URL.parse(line);
  const wanted = URL.parse(repository);
  return (
    given !== null && wanted !== null && given.protocol === wanted.protocol && given.host === wanted.host
  );
}

/** git hands the helper's text to a shell. */
function shellQuoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

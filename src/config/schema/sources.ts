import { Cron } from 'croner';
import * as z from 'zod';
import { maskPasswords } from '../../base/mask-passwords.ts';
import { isPostgres, parsePostgresAddress } from '../../base/postgres-address.ts';
import { complain } from './leaf.ts';

/** A branch pattern: git's rules for names, plus `*`. */
export const branchPattern = z.string().superRefine((pattern, ctx) => {
  const problem = branchProblem(pattern.replaceAll('*', 'x'));
  if (problem !== undefined)
    complain(
      ctx,
      `"${pattern}" is not a branch pattern: ${problem}`,
      'write a name such as main, or release/*',
    );
});

/** One branch, by its name. */
export const branchName = z.string().superRefine((name, ctx) => {
  const problem = name.includes('*') ? 'it holds "*"' : branchProblem(name);
  if (problem !== undefined)
    complain(ctx, `"${name}" is not a branch name: ${problem}`, 'write one name, such as main');
});

/** What of git-check-ref-format(1) a name breaks, as far as it matters here; undefined: nothing. */
function branchProblem(name: string): string | undefined {
  if (name === '' || name.length > 250) return 'it must have 1 to 250 characters';
  if (name.startsWith('-')) return 'it starts with "-"';
  if (name.startsWith('refs/')) return 'leave "refs/heads/" out';
  if (/^\/|\/$|\/\/|\.\.|@\{|\.lock$|\.$/.test(name)) return 'git does not allow such a name';
  for (const character of name)
    if (character <= ' ' || character === '\x7f' || '~^:?[\\'.includes(character))
      return `it holds ${JSON.stringify(character)}`;
  return undefined;
}

/** Where git fetches from: https, http, ssh, git, file URLs, `user@host:path`, or an absolute path. */
export const gitUrl = z
  .string()
  .max(2_000)
  .superRefine((url, ctx) => {
    const fix = 'write https://host/path, ssh://user@host/path, user@host:path, or an absolute path';
    if (url.startsWith('-'))
      return complain(ctx, `"${url}" starts with "-": git would take it for a flag`, fix);
    if (/[\0-\x20\x7f]/.test(url) && !url.startsWith('/'))
      return complain(ctx, 'the address of a repository holds a space or a control character', fix);
    if (/[\0\r\n]/.test(url))
      return complain(ctx, 'the path of a repository holds a line break or a zero byte', fix);
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url)?.[1]?.toLowerCase();
    if (scheme === undefined) {
      if (/^[A-Za-z][A-Za-z0-9+.-]*::/.test(url))
        return complain(ctx, `"${url}" names a helper program`, fix);
      if (url.startsWith('/') || /^(?:[^@:/\s]+@)?(?:\[[0-9A-Fa-f:.]+\]|[^:/@\s[\]]+):.+$/.test(url)) return;
      return complain(
        ctx,
        `"${maskPasswords(url)}" is not the address of a repository that every worker can use`,
        fix,
      );
    }
    if (!['https', 'http', 'ssh', 'git', 'file'].includes(scheme))
      return complain(ctx, `"${scheme}://" is not a way to fetch a repository`, fix);
    const password = passwordIn(url);
    if (password)
      complain(
        ctx,
        'the address holds a password, which everybody who reads this file would know',
        'put it in a secret file and write credentials: { secret: NAME }',
      );
    if (scheme !== 'file' && !URL.canParse(url)) complain(ctx, `"${maskPasswords(url)}" is not a URL`, fix);
  });

/** Whether a URL has a password in it. */
export function passwordIn(url: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/@]*:[^/@]+@/.test(url);
}

/** `sqlite:PATH` or `postgres://user@host/database`. */
export const storeUrl = z.string().superRefine((url, ctx) => {
  const fix = 'write sqlite:state.sqlite, or postgres://user@host/database';
  if (/^sqlite:(?!\/\/).+$/.test(url) && !url.includes('\0')) return;
  if (isPostgres(url)) {
    const address = parsePostgresAddress(url);
    if (!('problem' in address)) return;
    // The address is not repeated: a password may stand in it.
    complain(
      ctx,
      `this is no address of a PostgreSQL database: ${address.problem}`,
      'write postgres://user@host/database; a password comes from PGPASSWORD, ~/.pgpass or ?password=@FILE',
    );
    return;
  }
  complain(ctx, `"${maskPasswords(url)}" is not the address of a store`, fix);
});

/** The public address of the web pages, with a final slash. */
export const publicUrl = z.string().transform((text, ctx) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    complain(ctx, `"${text}" is not the address of a web page`, 'write https://farm.example/');
    return z.NEVER;
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
});

/** Five fields (minute first), as cron(8) has them; six with seconds first are taken too. */
export const cron = z.string().superRefine((pattern, ctx) => {
  try {
    if (new Cron(pattern, { paused: true }).nextRun() !== null) return;
    complain(ctx, `"${pattern}" never comes`, 'write a time that comes, such as "0 3 * * *"');
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'unreadable';
    complain(
      ctx,
      `"${pattern}" is not a cron pattern: ${reason}`,
      'write five fields, such as "0 3 * * *" for 3:00',
    );
  }
});

export const timezone = z.string().refine(isTimezone, {
  error: 'is not a time zone of this system',
  params: { fix: 'write one such as Europe/Lisbon or UTC' },
});

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A path to a file that holds a secret. */
export const secretFile = z
  .string()
  .min(1)
  .max(4_000)
  .refine((path) => !path.includes('\0'), { error: 'holds a zero byte' });

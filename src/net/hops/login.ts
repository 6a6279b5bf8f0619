import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import { Secret } from '../../base/secret.ts';
import { codes } from '../codes.ts';

/** Who we are to a proxy. */
export interface Login {
  readonly user: string;
  readonly password: Secret;
}

/** Gives the login for a proxy's host, or undefined where there is none. */
export type FindLogin = (host: string) => Promise<Login | undefined>;

/** A file of logins is a few lines. */
const FILE_BYTES = 64 * 1024;

/**
 * Logins from the file that curl, git and ftp use (`NETRC`, else `~/.netrc`): an address is logged and shown, so a password never stands
 * in one. The file is read anew each time, so a changed password needs no restart.
 * @throws BbxError BBX-NET-NETRC when others may read the file, or it cannot be read
 */
export function netrcLogins(env: Readonly<Record<string, string | undefined>>): FindLogin {
  return async (host) => {
    const named = env['NETRC'];
    const file = named === undefined || named === '' ? join(env['HOME'] ?? homedir(), '.netrc') : named;
    const text = await readOwn(file);
    return text === undefined ? undefined : loginIn(text, host);
  };
}

async function readOwn(path: string): Promise<string | undefined> {
  const refuse = (problem: string, cause?: unknown) => codes['BBX-NET-NETRC']({ path, problem }, { cause });
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw refuse(errnoOf(error) ?? 'it cannot be opened', error);
  }
  try {
    const { mode, size } = await file.stat();
    if (size > FILE_BYTES) throw refuse(`it is over ${FILE_BYTES / 1024} KiB`);
    const text = (await file.readFile()).toString('utf8');
    if (/\bpassword\b/.test(text) && (mode & 0o077) !== 0) throw refuse('other users may read it');
    return text;
  } finally {
    await file.close();
  }
}

/** The first `machine` of that name, else `default`. Words may stand in double quotes; a `macdef` lasts to an empty line. */
export function loginIn(text: string, host: string): Login | undefined {
  const plain = text.replace(/^[ \t]*macdef\b[\s\S]*?(\n[ \t]*\n|$)/gm, '\n').replace(/^[ \t]*#.*$/gm, '');
  const words = [...plain.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '',
  );
  let here = false;
  let user: string | undefined;
  let password: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === 'machine' || word === 'default') {
      if (here) break;
      if (word === 'machine') at += 1;
      here = word === 'default' || words[at]?.toLowerCase() === host.toLowerCase();
    } else if (word === 'login' || word === 'password' || word === 'account') {
      at += 1;
      if (here && word === 'login') user = words[at];
      if (here && word === 'password') password = words[at];
    }
  }
  return user === undefined || password === undefined ? undefined : { user, password: new Secret(password) };
}

import { execa } from 'execa';
import { codes } from './codes.ts';

/** A user of this machine that programs can be run as. */
export interface Identity {
  user: string;
  uid: number;
  gid: number;
  /** All groups, the primary one first. */
  groups: readonly number[];
  home: string;
  shell: string;
}

/** A look-up in a directory service (LDAP, NIS) that does not answer must not hold a start up for ever. */
const LOOKUP_MS = 10_000;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$/;

/**
 * The user that builds run as, asked of the system's own user database. Throws BBX-EXE-USER when this process is not root, when there is
 * no such user, and for root itself, which would protect nothing.
 */
export async function lookUpIdentity(user: string): Promise<Identity> {
  if (process.geteuid?.() !== 0) {
    throw codes['BBX-EXE-USER']({
      user,
      problem: 'only a worker that runs as root can change users; start it as that user instead',
    });
  }
  if (!NAME.test(user)) throw codes['BBX-EXE-USER']({ user, problem: 'that is no user name' });
  const identity = await findUser(user);
  if (identity === undefined) throw codes['BBX-EXE-USER']({ user, problem: 'this machine has no such user' });
  if (identity.uid === 0)
    throw codes['BBX-EXE-USER']({ user, problem: 'that is root; name an ordinary user' });
  return identity;
}

/** A user by its name, undefined where this machine has none of that name. Throws BBX-EXE-MISSING where the system cannot be asked. */
export async function findUser(user: string): Promise<Identity | undefined> {
  if (!NAME.test(user)) return undefined;
  const [passwd, groups] = await Promise.all([ask('getent', ['passwd', user]), ask('id', ['-G', user])]);
  if (passwd === undefined || groups === undefined) return undefined;
  const [, , uid, gid, , home, shell] = passwd.split(':');
  const numbers = groups.split(' ').map(Number);
  if (uid === undefined || gid === undefined || !numbers.every(Number.isInteger)) return undefined;
  return {
    user,
    uid: Number(uid),
    gid: Number(gid),
    groups: [Number(gid), ...numbers.filter((group) => group !== Number(gid))],
    home: home === undefined || home === '' ? '/' : home,
    shell: shell === undefined || shell === '' ? '/bin/sh' : shell,
  };
}

/** What the program prints; undefined when it fails. */
async function ask(program: string, args: readonly string[]): Promise<string | undefined> {
  const { stdout, failed, cause, code } = await execa(program, args, {
    reject: false,
    timeout: LOOKUP_MS,
    stdin: 'ignore',
  });
  if (code === 'ENOENT') throw codes['BBX-EXE-MISSING']({ program }, { cause });
  return failed ? undefined : stdout;
}

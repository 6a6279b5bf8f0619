import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import { findUser, type Identity } from '../../exec/identity.ts';
import type { RunAsFacts } from '../facts/run-as.ts';

/** Looks the user up, and whether it may pass every directory above the worker's own, which the worker opens for it by itself. */
export async function readRunAs(user: string, workerDir: string): Promise<RunAsFacts> {
  const at = new Date().toISOString();
  const identity = await findUser(user);
  if (identity === undefined) return { at, user, state: 'missing', closed: null, unseen: null };
  if (identity.uid === 0) return { at, user, state: 'root', closed: null, unseen: null };
  return { at, user, state: 'known', ...(await wayTo(resolve(workerDir), identity)) };
}

async function wayTo(dir: string, identity: Identity): Promise<Pick<RunAsFacts, 'closed' | 'unseen'>> {
  for (let path = dir; path !== dirname(path);) {
    path = dirname(path);
    try {
      const { mode, uid, gid } = await stat(path);
      const bit = uid === identity.uid ? 0o100 : identity.groups.includes(gid) ? 0o010 : 0o001;
      if ((mode & bit) === 0) return { closed: path, unseen: null };
    } catch (error) {
      if (errnoOf(error) !== 'EACCES') throw error;
      return { closed: null, unseen: path };
    }
  }
  return { closed: null, unseen: null };
}

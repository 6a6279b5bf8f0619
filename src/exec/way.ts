import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../base/error.ts';
import type { Identity } from './identity.ts';

/**
 * Whether a user may pass every directory above `dir`, from the nearest up: the first that is closed to it, or one whose rights this
 * process may not see; both null where the way is open.
 */
export async function wayAbove(
  dir: string,
  identity: Identity,
): Promise<{ closed: string | null; unseen: string | null }> {
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

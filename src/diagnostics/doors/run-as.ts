import { resolve } from 'node:path';
import { findUser } from '../../exec/identity.ts';
import { wayAbove } from '../../exec/way.ts';
import type { RunAsFacts } from '../facts/run-as.ts';

/** Looks the user up, and whether it may pass every directory above the worker's own, which the worker opens for it by itself. */
export async function readRunAs(user: string, workerDir: string): Promise<RunAsFacts> {
  const at = new Date().toISOString();
  const identity = await findUser(user);
  if (identity === undefined) return { at, user, state: 'missing', closed: null, unseen: null };
  if (identity.uid === 0) return { at, user, state: 'root', closed: null, unseen: null };
  return { at, user, state: 'known', ...(await wayAbove(resolve(workerDir), identity)) };
}

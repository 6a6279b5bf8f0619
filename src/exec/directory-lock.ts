import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errnoOf } from '../base/error.ts';
import { codes } from './codes.ts';

export interface DirectoryLock {
  /** Frees the lock; a second call does nothing. The kernel frees it, too, when the process ends in whatever way. */
  release(): void;
  [Symbol.dispose](): void;
}

/** SQLite's result for a file that another connection holds. */
const SQLITE_BUSY = 5;

/**
 * Takes the lock file at `path` (made with its folder when missing, mode 0600) for this process. A database held by an open exclusive
 * transaction is used as the lock, since Node has no flock and this one needs no clean-up after `kill -9`.
 * Throws BBX-EXE-LOCKED (exit 8), which names the holder's process, when another process or another part of this one has it.
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Made beforehand, as SQLite would make it readable for everyone.
  writeFileSync(path, '', { flag: 'a', mode: 0o600 });
  const database = new DatabaseSync(path, { timeout: 0 });
  const holder = `${path}.pid`;
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw codes['BBX-EXE-LOCKED']({ path: dirname(path), pid: readHolder(holder) }, { cause: error });
  }
  writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
  let held = true;
  const release = () => {
    if (!held) return;
    held = false;
    rmSync(holder, { force: true });
    database.close();
  };
  return { release, [Symbol.dispose]: release };
}

function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

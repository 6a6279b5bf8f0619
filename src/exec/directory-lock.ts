import { accessSync, constants, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
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
  makeFile(path);
  // SQLite hides the reason of the system, and takes a file that it may only read.
  accessSync(path, constants.R_OK | constants.W_OK);
  const database = new DatabaseSync(path, { timeout: 0 });
  const holder = `${path}.pid`;
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw codes['BBX-EXE-LOCKED']({ path: lockedDirectory(path), pid: readHolder(holder) }, { cause: error });
  }
  try {
    writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    database.close();
    throw error;
  }
  let held = true;
  const release = () => {
    if (!held) return;
    held = false;
    try {
      rmSync(holder, { force: true });
    } catch (error) {
      // Its directory may be gone, and something else have that name.
      if (errnoOf(error) !== 'ENOTDIR') throw error;
    } finally {
      database.close();
    }
  };
  return { release, [Symbol.dispose]: release };
}

/**
 * SQLite would make the file readable for everyone. `wx` never opens a file that is there: closing any descriptor of it would free the
 * POSIX locks that this process holds on it.
 */
function makeFile(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** What people call the directory: the one that holds `.bbx`, or else the lock file's own. */
export function lockedDirectory(path: string): string {
  const folder = dirname(path);
  return basename(folder) === '.bbx' ? dirname(folder) : folder;
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

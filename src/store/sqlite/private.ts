import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { errnoOf } from '../../base/error.ts';
import { codes } from '../codes.ts';

/** The rows hold properties, plans and the tokens of builds: for the farm's user alone. SQLite gives the files beside it the same mode. */
const PRIVATE = 0o600;
const OTHERS = 0o077;

/** Makes an empty file that nobody else may open, in no moment. Throws BBX-STO-OPEN, -RIGHTS. */
export function makePrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'a', PRIVATE));
  } catch (cause) {
    const problem = errnoOf(cause) ?? String(cause);
    if (problem === 'EACCES' || problem === 'EPERM') {
      throw codes['BBX-STO-RIGHTS']({ store: file, problem: 'its directory may not be written' }, { cause });
    }
    throw codes['BBX-STO-OPEN']({ file, problem }, { cause });
  }
}

/** Takes a database that was made by an older bbx away from others; one that belongs to somebody else stays as it is. */
export function closeToOthers(file: string): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    try {
      const { mode } = statSync(path);
      if ((mode & OTHERS) !== 0) chmodSync(path, mode & ~OTHERS & 0o7777);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'ENOENT' && errno !== 'EPERM' && errno !== 'EROFS') throw error;
    }
  }
}

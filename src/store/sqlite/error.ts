import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import { codes } from '../codes.ts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); extended codes hold them in their low byte. */
const SQLITE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
};

/** Whether this process may not use the file, or make one beside it. */
function isDenied(file: string): boolean {
  return [file, dirname(file)].some((path) => {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return false;
    } catch (error) {
      return ['EACCES', 'EPERM'].includes(errnoOf(error) ?? '');
    }
  });
}

/** Whether an error is SQLite's word that another connection holds the database. */
export function isBusy(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'BBX-STO-BUSY';
}

/** An error of `node:sqlite` as one with a code of ours, where it is trouble with the file; others (wrong SQL, a broken constraint) stay. */
export function sqliteError(file: string, error: unknown): unknown {
  const number = (error as { errcode?: unknown }).errcode;
  if (typeof number !== 'number') return error;
  const problem = (error as Error).message;
  const options = { cause: error };
  switch (number & 0xff) {
    case SQLITE.busy:
    case SQLITE.locked:
      return codes['BBX-STO-BUSY']({ what: 'another process still wrote to it', waitedMs: 0 }, options);
    case SQLITE.full:
      return codes['BBX-STO-FULL']({ file }, options);
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return codes['BBX-STO-DAMAGED']({ file, problem }, options);
    case SQLITE.cantOpen:
    case SQLITE.readOnly:
      // SQLite does not say why; only the system knows who may.
      if (isDenied(file))
        return codes['BBX-STO-RIGHTS']({ store: file, problem: 'it may not be written' }, options);
      return codes['BBX-STO-OPEN']({ file, problem }, options);
    case SQLITE.ioError:
      return codes['BBX-STO-IO']({ file, problem }, options);
    default:
      return error;
  }
}

import { BbxError, errnoOf } from '../../base/error.ts';
import { codes } from '../codes.ts';

/** A system's error about a log file as one of ours. */
export function fileError(file: string, error: unknown): Error {
  if (error instanceof BbxError) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return error as Error;
  if (errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EFBIG') {
    return codes['BBX-STO-FULL']({ file }, { cause: error });
  }
  return codes['BBX-STO-IO']({ file, problem: errno }, { cause: error });
}

import type { LogBytes } from '../../protocol/bbx/master-contract.ts';
import { encodeSmallLog, SMALL_LOG_BYTES } from '../../store/small-log.ts';
import type { SmallEnd } from './running.ts';

/**
 * The end of a log whose bytes are all among these pieces, which came in order, some perhaps twice. Undefined where they are too many, or not those that
 * the worker counted: such a log gets a file, and what is wrong with it is said there.
 */
export function endSmall(
  pieces: readonly LogBytes[],
  expected: { bytes: number; sha256?: string },
): SmallEnd | undefined {
  if (expected.bytes > SMALL_LOG_BYTES) return undefined;
  const fresh: LogBytes[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (piece.offset > size) return undefined;
    const bytes = piece.bytes.subarray(size - piece.offset);
    if (bytes.length === 0) continue;
    fresh.push({ ...piece, bytes });
    size += bytes.length;
  }
  if (size !== expected.bytes) return undefined;
  const { content, bytes, sha256, lines } = encodeSmallLog(fresh);
  if (expected.sha256 !== undefined && expected.sha256 !== sha256) return undefined;
  return { content, bytes, sha256, lines, receipt: expected.sha256 === undefined ? 'unhashed' : 'verified' };
}

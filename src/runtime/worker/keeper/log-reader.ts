import { join } from 'node:path';
import { openRecords, readRecords } from '../spool-file.ts';
import { pieceOf, segmentName, type LogPiece } from '../spool-piece.ts';

/** How far a log may be read: the files it stands in, and the bytes that are whole. */
export interface Readable {
  readonly size: number;
  readonly files: readonly number[];
}

/**
 * Reads a log that another process writes, in any number of goes. A read that begins where the last one ended continues at its place in
 * the file.
 */
export function createLogReader(
  dir: string,
  log: { id: number; name: string },
  known: Readable,
): (offset: number) => AsyncGenerator<LogPiece, void, void> {
  let cursor: { base: number; position: number; offset: number } | undefined;
  return async function* read(offset) {
    let at = offset;
    while (at < known.size) {
      const base = known.files.findLast((file) => file <= at);
      if (base === undefined) throw new Error(`byte ${at} of log "${log.name}" is not in the spool`);
      const next = known.files.find((file) => file > at) ?? Infinity;
      const start =
        cursor?.base === base && cursor.offset <= at ? cursor : { base, position: 0, offset: base };
      const path = join(dir, segmentName(log.id, base));
      const file = await openRecords(path, known.size - start.offset);
      try {
        const from = at;
        let expected = start.offset;
        // Behind the bytes that were told may stand a record that is only half there.
        if (expected < known.size) {
          const left = { bytes: known.size - start.offset };
          for await (const record of readRecords(file, start.position, left)) {
            const piece = pieceOf(record.content, expected);
            if (piece === undefined) break;
            expected += piece.payload.length;
            cursor = { base, position: record.next, offset: expected };
            if (expected > at) {
              const skip = at - piece.offset;
              at = expected;
              yield skip === 0
                ? piece
                : { ...piece, offset: piece.offset + skip, payload: piece.payload.subarray(skip) };
            }
            if (expected >= known.size || expected >= next) break;
          }
        }
        if (at === from) throw new Error(`byte ${at} of log "${log.name}" is damaged in the spool`);
      } finally {
        await file.close();
      }
    }
  };
}

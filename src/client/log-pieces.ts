import { readPieces, type LogBreak, type LogHole, type ReadPiece } from '../api/log-pieces.ts';
import type { Caller } from './call.ts';
import { codes } from './codes.ts';
import { logWords, readLogStreams, type LogOptions } from './log-streams.ts';

/**
 * A log's pieces from its start, each once and in order, with its holes and, last, where it breaks off; what follows one another in one hole comes as one. When the
 * connection breaks it goes on where it was.
 */
export async function* readLogPieces(
  caller: Caller,
  options: LogOptions,
): AsyncGenerator<ReadPiece, void, undefined> {
  const malformed = (problem: string) => codes['BBX-API-ANSWER']({ what: logWords(options), problem });
  let offset = 0;
  let hole: LogHole | undefined;
  let breaksOff: LogBreak | undefined;
  const place = () => ({ pieces: true as const, offset: offset > 0 ? offset : undefined });
  for await (const piece of readLogStreams(caller, options, place, (stream) =>
    readPieces(stream, malformed),
  )) {
    if ('lost' in piece && piece.lost === null) {
      // Told again where the connection broke behind it.
      breaksOff = piece;
      continue;
    }
    offset = piece.offset + ('lost' in piece ? piece.lost : piece.bytes);
    if ('lost' in piece) {
      hole = hole === undefined ? piece : { ...hole, lost: offset - hole.offset };
      continue;
    }
    if (hole !== undefined) yield hole;
    hole = undefined;
    yield piece;
  }
  if (hole !== undefined) yield hole;
  if (breaksOff !== undefined) yield breaksOff;
}

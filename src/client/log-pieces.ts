import { readPieces, type ReadPiece } from '../api/log-pieces.ts';
import { STREAMS } from '../api/routes.ts';
import { sleep } from '../base/abort.ts';
import { createBackoff } from '../base/backoff.ts';
import { BbxError } from '../base/error.ts';
import type { Caller } from './call.ts';
import { codes } from './codes.ts';
import { AWAY_LIMIT_MS, RETRY_MS, isOver, type LogOptions } from './log.ts';

/**
 * A log's pieces from its start, each once and in order, with its holes; what follows one another in one hole comes as one. When the
 * connection breaks it goes on where it was.
 */
export async function* readLogPieces(
  caller: Caller,
  options: LogOptions,
): AsyncGenerator<ReadPiece, void, undefined> {
  const { build, step, log, follow = false, channels = 'all', signal } = options;
  const what = `log "${log}" of step ${step} of build ${options.title ?? build}`;
  const malformed = (problem: string) => codes['BBX-API-ANSWER']({ what, problem });
  const backoff = createBackoff(RETRY_MS);
  let offset = 0;
  let awaySince: number | undefined;
  let hole: Extract<ReadPiece, { lost: number }> | undefined;
  for (;;) {
    try {
      const query = {
        pieces: true,
        follow: follow || undefined,
        channels: channels === 'output' ? channels : undefined,
        offset: offset > 0 ? offset : undefined,
      };
      const stream = await caller.stream(
        STREAMS.log,
        { params: { build, step, log }, query },
        { what, signal },
      );
      for await (const piece of readPieces(stream, malformed)) {
        awaySince = undefined;
        backoff.reset();
        offset = piece.offset + ('lost' in piece ? piece.lost : piece.bytes);
        if ('lost' in piece) {
          hole = hole === undefined ? piece : { ...hole, lost: offset - hole.offset };
          continue;
        }
        if (hole !== undefined) yield hole;
        hole = undefined;
        yield piece;
      }
      if (!follow || (await isOver(caller, options))) {
        if (hole !== undefined) yield hole;
        return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof BbxError && error.retryable) || !follow) throw error;
      awaySince ??= performance.now();
      if (performance.now() - awaySince > AWAY_LIMIT_MS) throw error;
      options.onBreak?.(error);
    }
    await sleep(backoff.next(), signal);
  }
}

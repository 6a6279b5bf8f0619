import { aborted } from '../../../base/abort.ts';
import { pieceLine } from '../../../api/log-pieces.ts';
import type { Channel } from '../../../build/command-port.ts';
import { resultNumber } from '../../../build/results.ts';
import { buildById, type BuildRow } from '../../../store/build-rows.ts';
import type { LogFiles } from '../../../store/log-files.ts';
import type { LogPiece } from '../../../store/log-files/piece.ts';
import { logWithContent } from '../../../store/logs.ts';
import { readSmallLog } from '../../../store/small-log.ts';
import type { Farm } from '../events.ts';
import type { LogIntake } from '../logs.ts';
import { createWaiter } from './waiter.ts';

/** A follower looks again so often even when nobody wakes it. */
const LOOK_MS = 1_000;

const OUTPUT: readonly Channel[] = ['stdout', 'stderr'];

/** What of a log is wanted. */
export interface LogQuery {
  /** The first byte. */
  offset: number;
  /** Bytes at most; undefined: all. */
  limit?: number | undefined;
  follow: boolean;
  channels: 'all' | 'output';
  pieces: boolean;
}

/** The bytes of a log within a range, as they come where it is followed, until the signal. With `pieces` each has a line before it that says what it is. */
export async function* readLog(
  { farm, files, logs }: { farm: Farm; files: LogFiles; logs: LogIntake },
  { logid, buildid }: { logid: number; buildid: number },
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const waiter = createWaiter(signal);
  const unlisten = logs.listen(logid, waiter.wake);
  const end = query.limit === undefined ? Infinity : query.offset + query.limit;
  let from = query.offset;
  let at = 0;
  try {
    await Promise.race([logs.show(logid), aborted(signal).catch(() => undefined)]);
    while (!signal.aborted) {
      waiter.reset();
      // Asked before the size: a log that is complete now has its last byte now.
      const row = await farm.store.read((db) => logWithContent(db, logid));
      const small = row?.content ?? undefined;
      const size = small === undefined ? (logs.sizeOf(logid) ?? (await files.size(logid))) : row!.bytes;
      const to = Math.min(size, end);
      if (to > from) {
        const range = { from, to };
        const pieces =
          small === undefined ? files.read(logid, { ...range, signal }) : readSmallLog(small, size, range);
        for await (const piece of pieces) {
          at = piece.at;
          // Not the size that was asked for: a failed flush may have taken the rest back, and it comes again.
          from = piece.offset + piece.bytes.length;
          const wanted = query.channels === 'all' || OUTPUT.includes(piece.channel);
          if (query.pieces) yield* framed(piece, wanted);
          else if (wanted) yield piece.bytes;
        }
      }
      if (query.pieces && row?.receipt === 'unsaid' && !row.pruned && end === Infinity) {
        const build = await farm.store.read((db) => buildById(db, buildid));
        yield pieceLine({ offset: size, at, lost: null, cause: 'worker', why: whyUnsaid(build) });
      }
      if (!query.follow || row === undefined || row.complete || row.pruned || from >= end) return;
      await waiter.wait(LOOK_MS);
    }
  } finally {
    unlisten();
  }
}

/** Why a worker has never told a log's end, as its build's end says it; that is some worker's words, perhaps. */
function whyUnsaid(build: BuildRow | undefined): string {
  const result = build?.results ?? null;
  const isMasters = result !== null && result >= resultNumber('exception');
  return isMasters ? build!.state_string.slice(0, 1_000) : 'its worker has not told its end';
}

/** A piece with its head; a hole is told whatever channels are wanted. */
function* framed(piece: LogPiece, wanted: boolean): Generator<Uint8Array> {
  const { offset, at, channel, bytes } = piece;
  if (piece.damaged === true) yield pieceLine({ offset, at, lost: bytes.length, cause: 'disk' });
  else if (wanted) {
    yield pieceLine({ offset, at, channel, bytes: bytes.length });
    yield bytes;
  }
}

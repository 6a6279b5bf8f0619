import type { Stored } from './job.ts';
import type { SpoolBuild } from './spool-build.ts';
import type { SpoolLog } from './spool-log.ts';
import type { LogPiece } from './spool-piece.ts';

/** A log of a build on its way. */
export interface Stream {
  work: Work;
  log: SpoolLog;
  /** Number on the wire; undefined until its first frame. */
  id: number | undefined;
  sent: number;
  stored: number;
  pieces: AsyncGenerator<LogPiece, void, void> | undefined;
  /** The master has no room for it: it rests until it is told where to go on. */
  paused: boolean;
}

/** A build on its way: what of it is sent and stored, and its logs by their numbers in the spool. */
export interface Work {
  build: SpoolBuild;
  /** Events sent and stored. */
  sent: number;
  stored: number;
  /** Bytes of the messages of those that are sent and not stored, oldest first. */
  onTheWay: number[];
  /** The event that waits for credit, measured: it is asked again after each frame of any log. */
  waiting: { sequence: number; bytes: number } | undefined;
  begun: Set<number>;
  streams: Map<number, Stream>;
}

export function newStream(work: Work, log: SpoolLog, at: number): Stream {
  return { work, log, id: undefined, sent: at, stored: at, pieces: undefined, paused: false };
}

/** A pause or an end makes what is read useless. */
export function stopReading(stream: Stream): void {
  // A read that is under way ends by itself; this closes the file afterwards.
  void stream.pieces?.return().catch(() => undefined);
  stream.pieces = undefined;
}

/** A build from where the master has it, the streams that are still to be sent; or why that cannot be. */
export function takeUp(
  build: SpoolBuild,
  stored: Stored,
): { work: Work; open: Stream[] } | { unfit: string } {
  const work: Work = {
    build,
    sent: Math.min(stored.sequence, build.sequence),
    stored: stored.sequence,
    onTheWay: [],
    waiting: undefined,
    begun: new Set(),
    streams: new Map(),
  };
  const over = new Set<number>();
  for (let number = 1; number <= work.sent; number += 1) {
    const event = build.event(number);
    if (event.type === 'stepStarted') work.begun.add(event.step);
    if (event.type === 'stepFinished') over.add(event.step);
  }
  const open: Stream[] = [];
  for (const log of build.logs) {
    const known = stored.logs.find(({ step, log: name }) => step === log.step && name === log.name);
    const at = over.has(log.step) ? log.size : (known?.bytes ?? 0);
    if (at < log.base || at > log.size)
      return {
        unfit: `log "${log.name}" is here from byte ${log.base} to ${log.size}, and wanted from ${at}`,
      };
    const stream = newStream(work, log, at);
    work.streams.set(log.id, stream);
    if (!over.has(log.step)) open.push(stream);
  }
  return { work, open };
}

import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Channel } from '../../build/command-port.ts';
import { LIMITS } from '../../protocol/bbx/limits.ts';
import { partsOf, type WaitingPiece } from './spool-batch.ts';
import { openAppendFile, readRecords, type AppendFile, type FullDisk } from './spool-file.ts';
import { pieceOf, segmentName, type LogPiece } from './spool-piece.ts';
import { createWriteQueue, type Turns } from './spool-queue.ts';
import {
  OVERHEAD_BYTES,
  noteRecord,
  recoverSegments,
  type LogPlace,
  type Segment,
  type SpoolDeps,
} from './spool-segment.ts';

/** A log is cut into files of this size, so that what is acknowledged can be freed while the rest grows. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
const MIB = 1024 * 1024;
/** A segment that is acknowledged to its end is given up early when it is this big, or when somebody waits for room. */
const WORTH_FREEING_BYTES = 256 * 1024;

/** A full disk is waited for between two tries, not within one, and who frees waits for nothing. */
const AT_ONCE: FullDisk = { wait: (error) => Promise.reject(error), over: () => undefined };

/** One log on the worker's disk, from the first byte that is not yet freed. */
export interface SpoolLog {
  readonly id: number;
  readonly step: number;
  readonly name: string;
  /** First byte still here. */
  readonly base: number;
  /** Bytes written so far: what may be sent. */
  readonly size: number;
  /** Resolves when the bytes are in the file; waits while the spool or the disk is full. */
  write(channel: Channel, bytes: Uint8Array): Promise<void>;
  /** A line of bbx's own, which never waits for room. */
  say(words: string): Promise<void>;
  /** Size and SHA-256 (empty when the beginning is not here any more). */
  finish(): Promise<{ bytes: number; sha256: string }>;
  /** Pieces from `offset` on, up to what is written when the last is asked for. Throws when a piece is damaged. */
  read(offset: number): AsyncGenerator<LogPiece, void, void>;
  /** The master has stored all before `offset`. */
  free(offset: number): Promise<void>;
  close(): Promise<void>;
  /** Bytes that its files take. */
  readonly fileBytes: number;
  /** Where its files begin, first to last. */
  readonly files: readonly number[];
}

/** A log that begins. Nothing is written before its first byte. */
export function createSpoolLog(place: LogPlace, deps: SpoolDeps): SpoolLog {
  return makeLog(place, deps, [], createHash('sha256'));
}

/** A log as a former process left it: truncated to the last record whose checksum holds. */
export async function recoverSpoolLog(
  place: LogPlace,
  bases: readonly number[],
  deps: SpoolDeps,
): Promise<SpoolLog> {
  const { segments, hash } = await recoverSegments(place, bases, deps);
  return makeLog(place, deps, segments, hash);
}

function makeLog(
  place: LogPlace,
  deps: SpoolDeps,
  segments: Segment[],
  hash: ReturnType<typeof createHash> | undefined,
): SpoolLog {
  const { budget } = deps;
  let size = (segments.at(-1)?.base ?? 0) + (segments.at(-1)?.length ?? 0);
  let freed = segments[0]?.base ?? 0;
  let acknowledged = freed;
  let writer: { file: AppendFile; segment: Segment } | undefined;
  let sayHeld = true;
  // Two queues: what touches the files, one after the other; and the writers, who may wait for room long, while the files are freed.
  const inTurn = createTurns();
  const asWriter = createTurns();

  const currentSegment = async () => {
    if (writer !== undefined && writer.segment.fileBytes < SEGMENT_BYTES) return writer;
    await writer?.file.close();
    writer = undefined;
    const tail = segments.at(-1);
    const reuse = tail !== undefined && tail.fileBytes < SEGMENT_BYTES;
    const segment: Segment = reuse
      ? tail
      : {
          path: join(place.dir, segmentName(place.id, size)),
          base: size,
          length: 0,
          fileBytes: 0,
          index: [],
        };
    const file = await openAppendFile(segment.path, segment.fileBytes, AT_ONCE);
    if (!reuse) segments.push(segment);
    writer = { file, segment };
    return writer;
  };
  /** Behind all that is in the file. */
  const append = async (pieces: readonly WaitingPiece[]) => {
    const { file, segment } = await currentSegment();
    await file.append(...partsOf(pieces));
    for (const { bytes } of pieces) {
      hash?.update(bytes);
      const position = segment.fileBytes;
      noteRecord(segment, size, { position, bytes: bytes.length });
      size += bytes.length;
    }
    place.changed?.();
  };
  const queue = createWriteQueue(deps, inTurn, append);
  const say = (text: string) => {
    const words = Buffer.from(text);
    budget.force(words.length + OVERHEAD_BYTES);
    return queue.put('header', words);
  };
  /** Takes room for the bytes and puts them in their place; gives what resolves when they are written. */
  const admit = async (channel: Channel, bytes: Uint8Array): Promise<{ written: Promise<unknown> }> => {
    const written: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += LIMITS.frameBytes) {
      const piece = bytes.subarray(at, at + LIMITS.frameBytes);
      let held = false;
      const room = budget.take(piece.length + OVERHEAD_BYTES, () => (held = true), place.gone);
      if (room !== undefined) {
        if (held && sayHeld) {
          // Said once for each log: a flood of such lines would fill what is already full.
          sayHeld = false;
          const limit = `${Math.round(budget.limit / MIB)} MiB`;
          const words = `bbx: output is held up: the worker's spool is full (${limit}) and the master has not stored it yet\n`;
          written.push(say(words));
        }
        await room;
      }
      written.push(queue.put(channel, piece));
    }
    return { written: Promise.all(written) };
  };
  const drop = async (segment: Segment) => {
    if (writer?.segment === segment) {
      await writer.file.close();
      writer = undefined;
    }
    segments.splice(segments.indexOf(segment), 1);
    await unlink(segment.path);
    budget.give(segment.fileBytes);
    freed = segment.base + segment.length;
  };
  const freeSegments = async () => {
    for (const segment of [...segments]) {
      const isLast = segment === segments.at(-1);
      const worth = budget.waiting > 0 || segment.fileBytes >= WORTH_FREEING_BYTES;
      if (segment.base + segment.length > acknowledged || segment.length === 0) break;
      if (isLast && !worth) break;
      // The last one is the only place that remembers the size: its successor, still empty, takes that over.
      if (isLast)
        await (await openAppendFile(join(place.dir, segmentName(place.id, size)), 0, AT_ONCE)).close();
      await drop(segment);
      if (isLast) {
        const path = join(place.dir, segmentName(place.id, size));
        segments.push({ path, base: size, length: 0, fileBytes: 0, index: [] });
      }
    }
  };

  return {
    id: place.id,
    step: place.step,
    name: place.name,
    get base() {
      return freed;
    },
    get size() {
      return size;
    },
    get fileBytes() {
      return segments.reduce((sum, segment) => sum + segment.fileBytes, 0);
    },
    get files() {
      return segments.map(({ base }) => base);
    },
    async write(channel, bytes) {
      const { written } = await asWriter(() => admit(channel, bytes));
      await written;
    },
    async say(words) {
      const { written } = await asWriter(() => Promise.resolve({ written: say(words) }));
      await written;
    },
    finish: () =>
      asWriter(async () => {
        await queue.settled();
        return { bytes: size, sha256: hash?.copy().digest('hex') ?? '' };
      }),
    async *read(offset) {
      let at = offset;
      while (at < size) {
        const segment = segments.find(({ base, length }) => at >= base && at < base + length);
        if (segment === undefined) throw new Error(`byte ${at} of log "${place.name}" is not in the spool`);
        const start = segment.index.findLast((entry) => entry.offset <= at) ?? {
          offset: segment.base,
          position: 0,
        };
        const file = await open(segment.path, 'r');
        try {
          const from = at;
          let expected = start.offset;
          for await (const record of readRecords(file, start.position, { end: segment.fileBytes })) {
            const piece = pieceOf(record.content, expected);
            if (piece === undefined) break;
            expected += piece.payload.length;
            if (expected <= at) continue;
            const skip = at - piece.offset;
            at = expected;
            yield skip === 0
              ? piece
              : { ...piece, offset: piece.offset + skip, payload: piece.payload.subarray(skip) };
          }
          if (at === from) throw new Error(`byte ${at} of log "${place.name}" is damaged in the spool`);
        } finally {
          await file.close();
        }
      }
    },
    free(offset) {
      acknowledged = Math.max(acknowledged, Math.min(offset, size));
      return inTurn(freeSegments);
    },
    async close() {
      await queue.settled();
      await inTurn(async () => {
        await writer?.file.close();
        writer = undefined;
      });
    },
  };
}

function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const next = last.then(act, act);
    last = next.catch(() => undefined);
    return next;
  };
}

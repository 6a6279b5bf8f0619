import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Channel } from '../../build/command-port.ts';
import { LIMITS } from '../../protocol/bbx/limits.ts';
import { openAppendFile, readRecords } from './spool-file.ts';
import type { AppendFile, FullDisk, RecordAt } from './spool-file.ts';
import type { SpoolBudget } from './spool-budget.ts';
import { CHANNELS, PIECE_HEADER_BYTES, pieceOf, segmentName, type LogPiece } from './spool-piece.ts';
import { RECORD_HEADER_BYTES, encodeRecord } from './spool-record.ts';

const OVERHEAD_BYTES = RECORD_HEADER_BYTES + PIECE_HEADER_BYTES;
/** A log is cut into files of this size, so that what is acknowledged can be freed while the rest grows. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
const MIB = 1024 * 1024;
/** A segment that is acknowledged to its end is given up early when it is this big, or when somebody waits for room. */
const WORTH_FREEING_BYTES = 256 * 1024;
/** A place in the index for so many bytes: a resend reads at most that much too much. */
const INDEX_EVERY_BYTES = 64 * 1024;

/** What every log of a spool shares. */
export interface SpoolDeps {
  clock: Clock;
  budget: SpoolBudget;
  disk: FullDisk;
}

interface Segment {
  path: string;
  base: number;
  /** Bytes of the log in it. */
  length: number;
  fileBytes: number;
  index: { offset: number; position: number }[];
}

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

export interface LogPlace {
  dir: string;
  id: number;
  step: number;
  name: string;
  /** Lets writers that wait for room fail. */
  gone: AbortSignal;
  /** Called when the log has grown. */
  changed?: (() => void) | undefined;
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
  const segments: Segment[] = [];
  const hash = createHash('sha256');
  let broken = false;
  for (const base of bases.toSorted((a, b) => a - b)) {
    const path = join(place.dir, segmentName(place.id, base));
    const before = segments.at(-1);
    if (broken || (before !== undefined && before.base + before.length !== base)) {
      // Behind a hole: could only be sent out of order, so it is as lost as the hole.
      broken = true;
      await unlink(path);
      continue;
    }
    const segment: Segment = { path, base, length: 0, fileBytes: 0, index: [] };
    const file = await open(path, 'r+');
    try {
      for await (const record of readRecords(file, 0)) {
        const piece = pieceOf(record.content, segment.base + segment.length);
        if (piece === undefined) break;
        noteRecord(segment, piece.offset, record);
        hash.update(piece.payload);
      }
      if ((await file.stat()).size > segment.fileBytes) {
        broken = true;
        await file.truncate(segment.fileBytes);
      }
    } finally {
      await file.close();
    }
    deps.budget.force(segment.fileBytes);
    segments.push(segment);
  }
  return makeLog(place, deps, segments, segments[0]?.base === 0 ? hash : undefined);
}

function makeLog(
  place: LogPlace,
  deps: SpoolDeps,
  segments: Segment[],
  hash: ReturnType<typeof createHash> | undefined,
): SpoolLog {
  const { budget, clock, disk } = deps;
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
    const file = await openAppendFile(segment.path, segment.fileBytes, disk);
    if (!reuse) segments.push(segment);
    writer = { file, segment };
    return writer;
  };
  const put = async (channel: Channel, bytes: Uint8Array) => {
    const { file, segment } = await currentSegment();
    const head = Buffer.allocUnsafe(PIECE_HEADER_BYTES);
    head.writeUInt8(CHANNELS.indexOf(channel), 0);
    head.writeDoubleBE(clock.wall(), 1);
    const record = encodeRecord(head, bytes);
    const position = segment.fileBytes;
    await file.append(record);
    hash?.update(bytes);
    noteRecord(segment, size, {
      position,
      next: position + record.length,
      content: record.subarray(RECORD_HEADER_BYTES),
    });
    size += bytes.length;
    place.changed?.();
  };
  const sayNow = async (text: string) => {
    const words = Buffer.from(text);
    budget.force(words.length + OVERHEAD_BYTES);
    await put('header', words);
  };
  const write = async (channel: Channel, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += LIMITS.frameBytes) {
      const piece = bytes.subarray(at, at + LIMITS.frameBytes);
      let held = false;
      const room = budget.take(piece.length + OVERHEAD_BYTES, () => (held = true), place.gone);
      if (room !== undefined) {
        // Refused while the line below is being written, it is met after that: nobody is to take it for a fault meanwhile.
        room.catch(() => undefined);
        if (held && sayHeld) {
          // Said once for each log: a flood of such lines would fill what is already full.
          sayHeld = false;
          const limit = `${Math.round(budget.limit / MIB)} MiB`;
          const words = `bbx: output is held up: the worker's spool is full (${limit}) and the master has not stored it yet\n`;
          await inTurn(() => sayNow(words));
        }
        await room;
      }
      await inTurn(() => put(channel, piece));
    }
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
      if (isLast) await (await openAppendFile(join(place.dir, segmentName(place.id, size)), 0, disk)).close();
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
    write: (channel, bytes) => asWriter(() => write(channel, bytes)),
    say: (words) => asWriter(() => inTurn(() => sayNow(words))),
    finish: () =>
      asWriter(() =>
        inTurn(() => Promise.resolve({ bytes: size, sha256: hash?.copy().digest('hex') ?? '' })),
      ),
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
          for await (const record of readRecords(file, start.position, segment.fileBytes)) {
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
    close: () =>
      inTurn(async () => {
        await writer?.file.close();
        writer = undefined;
      }),
  };
}

/** Lets acts run one at a time, in order; one that fails does not stop the next. */
function createTurns(): <Result>(act: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const next = last.then(act, act);
    last = next.catch(() => undefined);
    return next;
  };
}

function noteRecord(segment: Segment, offset: number, record: RecordAt): void {
  const lastIndexed = segment.index.at(-1)?.offset ?? -Infinity;
  if (offset - lastIndexed >= INDEX_EVERY_BYTES) segment.index.push({ offset, position: record.position });
  segment.length += record.content.length - PIECE_HEADER_BYTES;
  segment.fileBytes = record.next;
}

import { promisify } from 'node:util';
import { crc32, zstdDecompress } from 'node:zlib';
import { makeFrame, type Frames } from './frames.ts';
import { decodeRuns, encodeRuns } from './runs.ts';
import type { Run } from './runs.ts';

/**
 * A finished log is a file of zstd frames (RFC 8878), so `zstd -d` gives its bytes: a frame for each MiB, followed by a skippable
 * frame with the runs of that MiB (its trailer), and at the end one with a table of them all. docs/store.md draws it.
 */
export const BLOCK_BYTES = 2 ** 20;

/** Magic numbers of skippable frames; the sixteen possible ones are free to use (RFC 8878, 3.1.2). */
const TRAILER_MAGIC = 0x184d2a5b;
export const TABLE_MAGIC = 0x184d2a5c;
export const SKIPPABLE_HEADER_BYTES = 8;

const decompress = promisify(zstdDecompress);

export interface Block {
  /** Where its frame stands in the file. */
  position: number;
  frameBytes: number;
  trailerBytes: number;
  /** Where its first byte stands in the log, and how many there are. */
  offset: number;
  bytes: number;
  /** Newlines before it. */
  lines: number;
  /** Of its first byte. */
  at: number;
}

/** Trailer, behind the skippable frame's own header: CRC of frame, sizes, the runs, and a CRC over all that. */
const TRAILER_FIXED_BYTES = 40;

/** A block as bytes for the file; `frames` makes those of the log. */
export async function encodeBlock(
  raw: Uint8Array,
  runs: readonly Run[],
  where: { offset: number; lines: number; at: number; position: number },
  frames: Frames,
): Promise<{ bytes: Buffer; block: Block }> {
  const frame = await frames.make(raw);
  const packed = await makeFrame(encodeRuns(runs));
  const trailer = Buffer.alloc(SKIPPABLE_HEADER_BYTES + TRAILER_FIXED_BYTES + packed.length + 4);
  trailer.writeUInt32LE(TRAILER_MAGIC, 0);
  trailer.writeUInt32LE(trailer.length - SKIPPABLE_HEADER_BYTES, 4);
  trailer.writeUInt32LE(frame.length, 8);
  trailer.writeUInt32LE(crc32(frame), 12);
  trailer.writeUIntLE(where.offset, 16, 6);
  trailer.writeUInt32LE(raw.length, 24);
  trailer.writeUIntLE(where.lines, 28, 6);
  trailer.writeDoubleLE(where.at, 36);
  trailer.writeUInt32LE(packed.length, 44);
  packed.copy(trailer, SKIPPABLE_HEADER_BYTES + TRAILER_FIXED_BYTES);
  const sealed = trailer.length - 4;
  trailer.writeUInt32LE(crc32(trailer.subarray(0, sealed)), sealed);
  const block: Block = {
    ...where,
    frameBytes: frame.length,
    trailerBytes: trailer.length,
    bytes: raw.length,
  };
  return { bytes: Buffer.concat([frame, trailer]), block };
}

/** A trailer that stands at a place, undefined when none does that holds. */
function readTrailer(
  bytes: Buffer,
  at: number,
): { block: Omit<Block, 'position'>; crc: number; packed: Buffer } | undefined {
  const least = SKIPPABLE_HEADER_BYTES + TRAILER_FIXED_BYTES + 4;
  if (bytes.length - at < least || bytes.readUInt32LE(at) !== TRAILER_MAGIC) return undefined;
  const length = SKIPPABLE_HEADER_BYTES + bytes.readUInt32LE(at + 4);
  if (length < least || at + length > bytes.length) return undefined;
  const trailer = bytes.subarray(at, at + length);
  if (crc32(trailer.subarray(0, length - 4)) !== trailer.readUInt32LE(length - 4)) return undefined;
  const from = SKIPPABLE_HEADER_BYTES + TRAILER_FIXED_BYTES;
  return {
    crc: trailer.readUInt32LE(12),
    packed: trailer.subarray(from, from + trailer.readUInt32LE(44)),
    block: {
      frameBytes: trailer.readUInt32LE(8),
      trailerBytes: length,
      offset: trailer.readUIntLE(16, 6),
      bytes: trailer.readUInt32LE(24),
      lines: trailer.readUIntLE(28, 6),
      at: trailer.readDoubleLE(36),
    },
  };
}

/**
 * The bytes and runs of a block; undefined where its checksums do not hold. `stored` is its frame and trailer as they stand. `unmarked`: its trailer is damaged, so
 * its channels and times are not known, and all of it is given as one run of stdout.
 */
export async function decodeBlock(
  stored: Buffer,
  block: Block,
): Promise<{ raw: Buffer; runs: Run[]; unmarked?: true } | undefined> {
  const frame = stored.subarray(0, block.frameBytes);
  const trailer = readTrailer(stored, block.frameBytes);
  try {
    if (trailer !== undefined && crc32(frame) !== trailer.crc) return undefined;
    // A frame whose trailer is damaged carries a checksum of its own.
    const raw = await decompress(frame, { maxOutputLength: BLOCK_BYTES });
    if (raw.length !== block.bytes) return undefined;
    if (trailer === undefined) {
      return { raw, runs: [{ length: raw.length, channel: 'stdout', at: block.at }], unmarked: true };
    }
    const runs = decodeRuns(await decompress(trailer.packed, { maxOutputLength: 16 * BLOCK_BYTES }));
    const sum = runs.reduce((total, run) => total + run.length, 0);
    return sum === raw.length ? { raw, runs } : undefined;
  } catch {
    return undefined;
  }
}

/** Every trailer that can be found in these bytes of a file: how a damaged table is made again. */
export function findTrailers(bytes: Buffer, start: number): { block: Block; end: number }[] {
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(TRAILER_MAGIC);
  const found: { block: Block; end: number }[] = [];
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) {
    const trailer = readTrailer(bytes, at);
    const position = start + at - (trailer?.block.frameBytes ?? 0);
    if (trailer === undefined || position < 0) continue;
    found.push({ block: { ...trailer.block, position }, end: at + trailer.block.trailerBytes });
  }
  return found;
}

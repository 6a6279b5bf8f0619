import type { Channel } from '../../build/command-port.ts';

/** One piece of a log: at most 64 KiB of one channel. */
export interface LogPiece {
  /** Where its first byte stands in the log. */
  offset: number;
  channel: Channel;
  /** When it was written at the worker, epoch seconds; pieces of a finished log carry the time of the first byte of their run. */
  at: number;
  bytes: Uint8Array;
  /** Set when these bytes were lost by damage on the disk: they are zeros, only their number is true. */
  damaged?: true;
}

/** Largest piece that a reader gets. */
const PIECE_BYTES = 64 * 1024;

const ZEROS = Buffer.alloc(PIECE_BYTES);

/** Cuts `bytes`, which stand at `offset`, to what lies in the range, in pieces. */
export function* cut(
  bytes: Uint8Array,
  place: { offset: number; channel: Channel; at: number },
  range: { from: number; to: number },
): Generator<LogPiece, void, undefined> {
  const end = Math.min(place.offset + bytes.length, range.to);
  for (let offset = Math.max(place.offset, range.from); offset < end; offset += PIECE_BYTES) {
    const from = offset - place.offset;
    const to = Math.min(end - place.offset, from + PIECE_BYTES);
    yield { ...place, offset, bytes: bytes.subarray(from, to) };
  }
}

/** Zeros in the place of what is lost, on the header channel, so that every later byte keeps its offset. */
export function* lost(
  place: { from: number; to: number; at: number },
  range: { from: number; to: number },
): Generator<LogPiece, void, undefined> {
  const end = Math.min(place.to, range.to);
  for (let offset = Math.max(place.from, range.from); offset < end; offset += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, end - offset);
    yield { offset, channel: 'header', at: place.at, bytes: ZEROS.subarray(0, length), damaged: true };
  }
}

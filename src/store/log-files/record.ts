import { crc32 } from 'node:zlib';
import type { Channel } from '../../build/command-port.ts';

/** The file of a running log; docs/store.md draws it. Integers are little-endian. */
const MAGIC = Buffer.from('BBXLOG1\n', 'latin1');
export const FILE_HEADER_BYTES = 16;
export const RECORD_HEADER_BYTES = 48;

/** Bytes of one record at most: also the largest piece that a reader is given. */
export const RECORD_BYTES = 64 * 1024;

/** The longest stretch that one record can declare lost. */
export const LOST_BYTES = 0xffff_ffff;

/** By the number that stands in a record. */
export const CHANNELS: readonly Channel[] = ['stdout', 'stderr', 'header'];
const LOST = 255;

export interface RecordHeader {
  /** Undefined: these bytes are lost, nothing follows the header. */
  channel: Channel | undefined;
  /** Where its first byte stands in the log. */
  offset: number;
  /** Bytes of the log that were durable when this was written. */
  synced: number;
  /** Newlines before it. */
  lines: number;
  /** Bytes of the log that it holds (or declares lost). */
  length: number;
  at: number;
  /** CRC-32 of what follows the header. */
  crc: number;
}

/** `salt` is random for each file: a log that holds copies of log files has no records in it by mistake. */
export function fileHeader(salt: number): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(salt, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}

/** The salt of a file's header, undefined when that is damaged. */
export function saltOf(bytes: Buffer): number | undefined {
  if (bytes.length < FILE_HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  return crc32(bytes.subarray(0, 12)) === bytes.readUInt32LE(12) ? bytes.readUInt32LE(8) : undefined;
}

/** Writes the 48 bytes of a header at `at`, with a checksum of their own at the end. */
export function writeRecordHeader(into: Buffer, at: number, salt: number, header: RecordHeader): void {
  into.writeUInt32LE(salt, at);
  into.writeUInt32LE(header.channel === undefined ? LOST : CHANNELS.indexOf(header.channel), at + 4);
  into.writeUIntLE(header.offset, at + 8, 6);
  into.writeUIntLE(header.synced, at + 14, 6);
  into.writeUIntLE(header.lines, at + 20, 6);
  into.writeUInt16LE(0, at + 26);
  into.writeUInt32LE(header.length, at + 28);
  into.writeDoubleLE(header.at, at + 32);
  into.writeUInt32LE(header.crc, at + 40);
  into.writeUInt32LE(crc32(into.subarray(at, at + 44)), at + 44);
}

/** The header at a place, undefined when what stands there is none of this file's. */
export function readRecordHeader(bytes: Buffer, at: number, salt: number): RecordHeader | undefined {
  if (bytes.length - at < RECORD_HEADER_BYTES || bytes.readUInt32LE(at) !== salt) return undefined;
  const kind = bytes.readUInt32LE(at + 4);
  const channel = CHANNELS[kind];
  const length = bytes.readUInt32LE(at + 28);
  if (channel === undefined ? kind !== LOST : length > RECORD_BYTES) return undefined;
  // Last: it takes longest, and a search asks at every byte.
  if (crc32(bytes.subarray(at, at + 44)) !== bytes.readUInt32LE(at + 44)) return undefined;
  return {
    channel,
    offset: bytes.readUIntLE(at + 8, 6),
    synced: bytes.readUIntLE(at + 14, 6),
    lines: bytes.readUIntLE(at + 20, 6),
    length,
    at: bytes.readDoubleLE(at + 32),
    crc: bytes.readUInt32LE(at + 40),
  };
}

/**
 * Newlines in these bytes, four at a time: 25 ms for 80 MB, where a loop over bytes takes 75 and one over `indexOf` takes 25 for long
 * lines and 2,000 for empty ones.
 */
export function countLines(bytes: Uint8Array): number {
  const { length, byteOffset } = bytes;
  // Words stand at multiples of four.
  const start = Math.min(length, -byteOffset & 3);
  const end = length - ((length - start) & 3);
  let lines = 0;
  for (let at = 0; at < start; at += 1) if (bytes[at] === 10) lines += 1;
  for (let at = end; at < length; at += 1) if (bytes[at] === 10) lines += 1;
  if (start === end) return lines;
  const words = new Int32Array(bytes.buffer, byteOffset + start, (end - start) / 4);
  // By index: an iterator takes four times as long.
  for (let index = 0; index < words.length; index += 1) {
    // Zero where there was a newline; then the highest bit of such a byte alone is set, and the four bits are added up.
    const x = words[index]! ^ 0x0a0a0a0a;
    const zeros = ~(((x & 0x7f7f7f7f) + 0x7f7f7f7f) | x | 0x7f7f7f7f);
    if (zeros !== 0) lines += Math.imul((zeros >>> 7) & 0x01010101, 0x01010101) >>> 24;
  }
  return lines;
}

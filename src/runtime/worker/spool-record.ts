import { crc32 } from 'node:zlib';

/**
 * A record of a spool file: CRC-32 (u32) of what follows, length of the content (u32), the content; big-endian. A file is a row of
 * records; what a crash left half-written at the end does not pass its checksum and is cut off.
 */
export const RECORD_HEADER_BYTES = 8;
/** No record is longer: a log's piece is at most 64 KiB, an event at most this. */
export const RECORD_MAX_BYTES = 1024 * 1024;

/** A record of the parts put together, with its length and checksum before it. */
export function encodeRecord(...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + length);
  record.writeUInt32BE(length, 4);
  let at = RECORD_HEADER_BYTES;
  for (const part of parts) {
    record.set(part, at);
    at += part.length;
  }
  record.writeUInt32BE(crc32(record.subarray(4)), 0);
  return record;
}

/**
 * What stands in a file before `payload` in a record of both parts: so the payload is written from where it is, without the copy that
 * `encodeRecord` makes.
 */
export function recordBefore(head: Uint8Array, payload: Uint8Array): Buffer {
  const start = Buffer.allocUnsafe(RECORD_HEADER_BYTES + head.length);
  start.writeUInt32BE(head.length + payload.length, 4);
  start.set(head, RECORD_HEADER_BYTES);
  start.writeUInt32BE(crc32(payload, crc32(start.subarray(4))), 0);
  return start;
}

/** The record at `at`: its content and where the next begins; `short` when the bytes end before it does; `damaged` when it is none. */
export function decodeRecord(
  bytes: Buffer,
  at: number,
): { content: Buffer; next: number } | 'short' | 'damaged' {
  if (bytes.length - at < RECORD_HEADER_BYTES) return 'short';
  const length = bytes.readUInt32BE(at + 4);
  if (length === 0 || length > RECORD_MAX_BYTES) return 'damaged';
  const next = at + RECORD_HEADER_BYTES + length;
  if (bytes.length < next) return 'short';
  if (crc32(bytes.subarray(at + 4, next)) !== bytes.readUInt32BE(at)) return 'damaged';
  return { content: bytes.subarray(at + RECORD_HEADER_BYTES, next), next };
}

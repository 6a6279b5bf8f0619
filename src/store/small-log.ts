import { createHash } from 'node:crypto';
import type { Channel } from '../build/command-port.ts';
import { cut, lost, type LogPiece } from './log-files/piece.ts';
import { countLines } from './log-files/record.ts';

/**
 * A log that is no larger when it ends, and ends soon, stands in its row: a file costs some twenty calls to the disk until it is
 * compressed. With Base64 it is a page and a half of the database.
 */
export const SMALL_LOG_BYTES = 4 * 1024;

/** The first schema whose rows hold them. */
export const SMALL_LOGS_SINCE = 6;

const CHANNELS: readonly unknown[] = ['stdout', 'stderr', 'header'] satisfies Channel[];

/** What the row of a small log says of its bytes. */
export interface SmallLog {
  content: string;
  bytes: number;
  sha256: string;
  lines: number;
}

/**
 * Pieces that follow one another, as a row holds them: channel, time and bytes of each. The bytes in Base64, since backups carry rows as JSON
 * and PostgreSQL's texts hold no zero byte.
 */
export function encodeSmallLog(
  pieces: readonly { channel: Channel; at: number; bytes: Uint8Array }[],
): SmallLog {
  const hash = createHash('sha256');
  let lines = 0;
  let size = 0;
  const content = pieces.map(({ channel, at, bytes }) => {
    hash.update(bytes);
    lines += countLines(bytes);
    size += bytes.length;
    return [channel, at, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')];
  });
  return { content: JSON.stringify(content), bytes: size, sha256: hash.digest('hex'), lines };
}

/** The pieces that a row holds; undefined when it holds none that can be read. */
export function decodeSmallLog(content: string): LogPiece[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const pieces: LogPiece[] = [];
  let offset = 0;
  for (const entry of value as unknown[]) {
    if (!Array.isArray(entry)) return undefined;
    const [channel, at, text] = entry as unknown[];
    if (!CHANNELS.includes(channel) || typeof at !== 'number' || typeof text !== 'string') return undefined;
    const bytes = Buffer.from(text, 'base64');
    pieces.push({ offset, channel: channel as Channel, at, bytes });
    offset += bytes.length;
  }
  return pieces;
}

/** Its SHA-256 in hex, of what can be read of it. */
export function hashOfPieces(pieces: readonly LogPiece[]): string {
  const hash = createHash('sha256');
  for (const { bytes } of pieces) hash.update(bytes);
  return hash.digest('hex');
}

/** The part of a small log that lies in a range. What cannot be read comes as zeros, marked, so that `size` is as the row says. */
export function* readSmallLog(
  content: string,
  size: number,
  range: { from: number; to: number },
): Generator<LogPiece, void, undefined> {
  const pieces = decodeSmallLog(content);
  if (pieces === undefined) {
    yield* lost({ from: 0, to: size, at: 0 }, range);
    return;
  }
  for (const { bytes, ...place } of pieces) yield* cut(bytes, place, range);
}

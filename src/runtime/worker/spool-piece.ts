import type { Channel } from '../../build/command-port.ts';

/** Content of a log's record before its bytes: channel u8, time f64. */
export const PIECE_HEADER_BYTES = 9;
export const CHANNELS: readonly Channel[] = ['stdout', 'stderr', 'header'];

/** A piece of a log as it was written. */
export interface LogPiece {
  channel: Channel;
  at: number;
  offset: number;
  payload: Uint8Array;
}

/** Name of the file with the bytes of log `id` from offset `base` on. */
export function segmentName(id: number, base: number): string {
  return `log-${id}-${base}`;
}

/** Id and base of a segment's file name; undefined for any other name. */
export function parseSegmentName(name: string): { id: number; base: number } | undefined {
  const match = /^log-(\d{1,9})-(\d{1,16})$/.exec(name);
  return match === null ? undefined : { id: Number(match[1]), base: Number(match[2]) };
}

/** The piece in a record's content that begins at `offset` of its log; undefined when it is none. */
export function pieceOf(content: Buffer, offset: number): LogPiece | undefined {
  const channel = content.length > PIECE_HEADER_BYTES ? CHANNELS[content.readUInt8(0)] : undefined;
  if (channel === undefined) return undefined;
  return { channel, at: content.readDoubleBE(1), offset, payload: content.subarray(PIECE_HEADER_BYTES) };
}

import type { Channel } from '../../build/command-port.ts';
import { LIMITS } from './limits.ts';

/** A piece of a log on the wire. */
export interface LogFrame {
  /** Named by an `open` message of the same session. */
  stream: number;
  channel: Channel;
  /** Where the first byte of the payload stands in the log. */
  offset: number;
  /** Worker's wall clock, epoch seconds. */
  at: number;
  payload: Uint8Array;
}

/** kind u8 · channel u8 · stream u32 · offset u64 · time f64, all big-endian; then the payload. */
export const FRAME_HEADER_BYTES = 22;
const KIND_LOG = 1;
const CHANNELS: readonly Channel[] = ['stdout', 'stderr', 'header'];

/** A binary frame with bytes of a log. */
export function encodeLogFrame(frame: LogFrame): Uint8Array {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + frame.payload.length);
  bytes.writeUInt8(KIND_LOG, 0);
  bytes.writeUInt8(CHANNELS.indexOf(frame.channel), 1);
  bytes.writeUInt32BE(frame.stream, 2);
  bytes.writeBigUInt64BE(BigInt(frame.offset), 6);
  bytes.writeDoubleBE(frame.at, 14);
  bytes.set(frame.payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** The frame (its payload is a view into `bytes`), or in words what is wrong with it. Never throws. */
export function decodeLogFrame(bytes: Uint8Array): LogFrame | string {
  if (bytes.length < FRAME_HEADER_BYTES) return `a frame of ${bytes.length} bytes`;
  const payload = bytes.subarray(FRAME_HEADER_BYTES);
  if (payload.length === 0) return 'a frame without payload';
  if (payload.length > LIMITS.frameBytes) return `a frame with ${payload.length} bytes of payload`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES);
  if (view.getUint8(0) !== KIND_LOG) return `a frame of the unknown kind ${view.getUint8(0)}`;
  const channel = CHANNELS[view.getUint8(1)];
  if (channel === undefined) return `a frame for the unknown channel ${view.getUint8(1)}`;
  const offset = Number(view.getBigUint64(6));
  if (!Number.isSafeInteger(offset + payload.length)) return 'a frame at an offset beyond 2^53';
  const at = view.getFloat64(14);
  if (!Number.isFinite(at) || at < 0) return 'a frame without a time';
  return { stream: view.getUint32(2), channel, offset, at, payload };
}

import type { FileHandle } from 'node:fs/promises';
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Channel } from '../../build/command-port.ts';
import { cut, lost } from './piece.ts';
import type { LogPiece } from './piece.ts';
import { createPoints } from './points.ts';
import type { Points } from './points.ts';
import {
  FILE_HEADER_BYTES,
  LOST_BYTES,
  RECORD_BYTES,
  RECORD_HEADER_BYTES,
  countLines,
  fileHeader,
  writeRecordHeader,
} from './record.ts';
import { walkRecords } from './records.ts';
import type { Range, Recovered } from './recover.ts';
import { createWindow, type Scratch } from './window.ts';

/** How far something got: bytes of the log, bytes of the file, newlines. */
interface Mark {
  size: number;
  position: number;
  lines: number;
}

/** A log that is being written, as its file stands. */
export interface Running extends Mark {
  salt: number;
  points: Points;
  damaged: Range[];
  /** How often its end was given up: who reads what was there meets what is no damage. */
  cuts: number;
  /** What a power failure leaves. */
  synced: Mark;
  /** The flush that is under way: one at a time, since of two the system tells a failure to one alone. */
  flushing: Promise<void> | undefined;
  /** Why a flush failed: what it concerned is not given up yet, and no other flush makes up for it. */
  unflushed: unknown;
  /** The file's name is not durable yet. */
  unnamed: boolean;
  /** SHA-256 of everything up to `size`, taken as it is written; undefined where the file has to be read for it. */
  hash: Hash | undefined;
  /** Set when the log is complete, and waits to be compressed. */
  sealed: { sha256: string } | undefined;
}

/** Bytes to be appended; undefined bytes with a length: lost. */
export interface Addition {
  offset: number;
  channel: Channel | undefined;
  at: number;
  bytes: Uint8Array | undefined;
  length: number;
}

/** A running log that holds nothing yet. */
export function newRunning(): Running {
  const start = { size: 0, position: 0, lines: 0 };
  return {
    ...start,
    synced: start,
    salt: randomBytes(4).readUInt32LE(),
    points: createPoints(),
    damaged: [],
    cuts: 0,
    flushing: undefined,
    unflushed: undefined,
    unnamed: true,
    hash: createHash('sha256'),
    sealed: undefined,
  };
}

/** A log found in its file; the caller has made durable what was found. */
export function runningFrom(found: Recovered): Running {
  const { salt, size, position, lines, points, damaged } = found;
  const synced = { size, position, lines };
  const unknown = { cuts: 0, hash: undefined, sealed: undefined, flushing: undefined, unflushed: undefined };
  return { salt, size, position, lines, points, damaged, synced, unnamed: false, ...unknown };
}

/**
 * Writes additions behind one another, in one call to the system. Gives the running log as it is afterwards; an error leaves the
 * file as it was (what was half written is cut off, or lies behind the end and is overwritten).
 */
export async function writeAdditions(
  handle: FileHandle,
  running: Running,
  additions: readonly Addition[],
): Promise<void> {
  const buffers: Uint8Array[] = running.position === 0 ? [fileHeader(running.salt)] : [];
  const added: { offset: number; position: number; lines: number; at: number }[] = [];
  let position = running.position === 0 ? FILE_HEADER_BYTES : running.position;
  let { size, lines } = running;

  const put = (channel: Channel | undefined, at: number, length: number, payload: Uint8Array | undefined) => {
    const head = Buffer.alloc(RECORD_HEADER_BYTES);
    const crc = payload === undefined ? 0 : crc32(payload);
    const header = { channel, offset: size, synced: running.synced.size, lines, length, at, crc };
    writeRecordHeader(head, 0, running.salt, header);
    added.push({ offset: size, position, lines, at });
    buffers.push(head);
    position += RECORD_HEADER_BYTES;
    size += length;
    if (payload === undefined) return;
    buffers.push(payload);
    position += length;
    lines += countLines(payload);
  };

  for (const { offset, channel, at, bytes, length } of additions) {
    const end = offset + length;
    while (size < end) {
      const most = Math.min(end - size, bytes === undefined ? LOST_BYTES : RECORD_BYTES);
      put(channel, at, most, bytes?.subarray(size - offset, size - offset + most));
    }
  }

  try {
    await writeFully(handle, buffers, running.position);
  } catch (error) {
    await handle.truncate(running.position).catch(() => undefined);
    throw error;
  }
  for (const { offset, length, bytes } of additions) {
    if (bytes === undefined) {
      running.damaged.push({ from: offset, to: offset + length });
      running.hash = undefined;
    } else running.hash?.update(bytes);
  }
  for (const point of added) running.points.add(point);
  Object.assign(running, { size, position, lines });
}

/** IOV_MAX of Linux. */
const VECTORS = 1_024;

async function writeFully(handle: FileHandle, buffers: readonly Uint8Array[], start: number): Promise<void> {
  let position = start;
  let rest = [...buffers];
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest.slice(0, VECTORS), position);
    position += bytesWritten;
    let done = 0;
    for (const buffer of rest) {
      if (bytesWritten < buffer.length) break;
      bytesWritten -= buffer.length;
      done += 1;
    }
    rest = rest.slice(done);
    if (bytesWritten > 0) rest[0] = (rest[0] as Uint8Array).subarray(bytesWritten);
  }
}

/** Makes what is written durable. Appending may go on meanwhile. After an error all that is not durable must be given up, with `cutToSynced`. */
export async function syncRunning(handle: FileHandle, running: Running): Promise<void> {
  while (running.flushing !== undefined) await running.flushing.catch(() => undefined);
  running.flushing = flush(handle, running).finally(() => (running.flushing = undefined));
  return running.flushing;
}

async function flush(handle: FileHandle, running: Running): Promise<void> {
  if (running.unflushed !== undefined) throw running.unflushed;
  const { size, position, lines } = running;
  try {
    await handle.datasync();
  } catch (error) {
    running.unflushed = error;
    throw error;
  }
  if (size > running.synced.size) running.synced = { size, position, lines };
}

/**
 * Writes a record without bytes that says how far the log was durable, for one that gets no other record. It need not be durable itself, and
 * must not be written before what it speaks of is.
 */
export async function writeEnd(handle: FileHandle, running: Running): Promise<void> {
  const { salt, size, lines, position } = running;
  const record = Buffer.alloc(RECORD_HEADER_BYTES);
  const nothing = { channel: 'header', length: 0, crc: 0 } as const;
  writeRecordHeader(record, 0, salt, { ...nothing, offset: size, synced: running.synced.size, lines, at: 0 });
  await handle.write(record, 0, record.length, position);
}

/** Gives up what was never made durable: after a failed sync the system may have dropped any of it. */
export async function cutToSynced(handle: FileHandle, running: Running): Promise<void> {
  const { size, position, lines } = running.synced;
  running.cuts += 1;
  running.points.cut(size);
  running.damaged = running.damaged.filter((range) => range.to <= size);
  running.hash = undefined;
  running.unflushed = undefined;
  Object.assign(running, { size, position, lines });
  await handle.truncate(position);
}

/**
 * The pieces of a running log within a range; damage that is met is noted in the log and given to `onDamage`. With `scratch` a piece is good
 * only until the next is asked for: a long log is then read without a new buffer for each stretch of it. When the log is cut meanwhile they end
 * somewhere: `cuts` tells.
 */
export async function* readRunning(
  handle: FileHandle,
  running: Running,
  range: Range,
  onDamage: (range: Range) => void,
  scratch?: Scratch,
): AsyncGenerator<LogPiece, void, undefined> {
  const point = running.points.before(range.from) ?? { offset: 0, position: FILE_HEADER_BYTES, at: 0 };
  const { size, cuts } = running;
  const window = createWindow(handle, running.position, scratch);
  const note = (bad: Range) => {
    const known = running.damaged.some((before) => before.from <= bad.from && bad.to <= before.to);
    if (!known) running.damaged.push(bad);
    if (!known) onDamage(bad);
  };
  let at = point.at;
  const start = { salt: running.salt, position: point.position, offset: point.offset };
  for await (const step of walkRecords(window, start)) {
    const sound = step.kind === 'record' && step.header.channel !== undefined && step.sound;
    if (!sound && running.cuts !== cuts) return;
    if (step.kind === 'gap') {
      const bad = { from: step.offset, to: step.to ?? size };
      note(bad);
      yield* lost({ ...bad, at }, range);
      if (bad.to >= range.to) return;
      continue;
    }
    const { header } = step;
    const end = header.offset + header.length;
    at = header.at;
    if (end > range.from) {
      if (header.channel !== undefined && step.sound) {
        yield* cut(step.payload, { offset: header.offset, channel: header.channel, at }, range);
      } else {
        note({ from: header.offset, to: end });
        yield* lost({ from: header.offset, to: end, at }, range);
      }
    }
    if (end >= range.to) return;
  }
}

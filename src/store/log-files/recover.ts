import type { FileHandle } from 'node:fs/promises';
import { createPoints } from './points.ts';
import type { Points } from './points.ts';
import { FILE_HEADER_BYTES, RECORD_HEADER_BYTES, countLines, readRecordHeader, saltOf } from './record.ts';
import { stretches, walkRecords } from './records.ts';
import { createWindow, type Window } from './window.ts';

/** A stretch of a log, `to` excluded. */
export interface Range {
  from: number;
  to: number;
}

/** What the file of a running log holds, found by reading all of it. */
export interface Recovered {
  salt: number;
  /** Bytes of the log, and where the file should end. */
  size: number;
  position: number;
  lines: number;
  points: Points;
  damaged: Range[];
  /** Bytes of the file behind `position` that do not hold: what a crash left half written. */
  torn: number;
  /** Set when durable bytes are missing at the end: the log must go on here, the bytes up to it are lost. */
  lostTo: number | undefined;
}

/**
 * Reads a running log's file. Its end is where the checksums end to hold; before what was durable (every record says how far that
 * was) nothing is ever cut off: damage there is a damaged range, and the rest stays. "nothing": no byte of it was ever durable, and a power
 * failure has left none that can be used. Undefined when bytes stand there of which none is a record: the file is none of ours.
 */
export async function recover(handle: FileHandle): Promise<Recovered | 'nothing' | undefined> {
  const fileSize = (await handle.stat()).size;
  const window = createWindow(handle, fileSize);
  const salt = saltOf(await window.at(0, FILE_HEADER_BYTES)) ?? (await findSalt(window));
  if (typeof salt !== 'number') return salt === 'blank' ? 'nothing' : undefined;

  const points = createPoints();
  const bad: (Range & { position: number; lines: number; open: boolean })[] = [];
  let position = FILE_HEADER_BYTES;
  let size = 0;
  let lines = 0;
  let durable = 0;
  for await (const step of walkRecords(window, { salt, position, offset: 0 })) {
    if (step.kind === 'gap') {
      bad.push({
        from: step.offset,
        to: step.to ?? step.offset,
        position: step.position,
        lines,
        open: step.to === undefined,
      });
      size = step.to ?? step.offset;
      position = step.position;
      continue;
    }
    const { header, payload, sound } = step;
    durable = Math.max(durable, header.synced);
    const before = lines;
    lines = header.lines;
    if (!sound) {
      bad.push({
        from: header.offset,
        to: header.offset + header.length,
        position: step.position,
        lines: before,
        open: false,
      });
    }
    if (header.length > 0)
      points.add({ offset: header.offset, position: step.position, lines, at: header.at });
    lines += sound ? countLines(payload) : 0;
    size = header.offset + header.length;
    position = step.position + RECORD_HEADER_BYTES + (header.channel === undefined ? 0 : header.length);
  }

  // The first trouble behind what was durable is where a crash stopped the writing.
  const end = bad.find((range) => range.from >= durable || range.open);
  if (end !== undefined) ({ from: size, position, lines } = end);
  if (size === 0 && durable === 0) return 'nothing';
  points.cut(size);
  return {
    salt,
    size,
    position,
    lines,
    points,
    damaged: bad.filter((range) => range.from < size).map(({ from, to }) => ({ from, to })),
    torn: fileSize - position,
    lostTo: size < durable ? durable : undefined,
  };
}

/** Where the file's own header is damaged, any record still tells the salt: its CRC holds for no other. "blank": no byte but zeros. */
async function findSalt(window: Window): Promise<number | 'blank' | undefined> {
  let blank = true;
  for await (const { bytes } of stretches(window, 0)) {
    blank &&= bytes.every((byte) => byte === 0);
    if (blank) continue;
    for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; at += 1) {
      const salt = bytes.readUInt32LE(at);
      if (salt !== 0 && readRecordHeader(bytes, at, salt) !== undefined) return salt;
    }
  }
  return blank ? 'blank' : undefined;
}

import { crc32 } from 'node:zlib';
import { RECORD_HEADER_BYTES, readRecordHeader } from './record.ts';
import type { RecordHeader } from './record.ts';
import type { Window } from './window.ts';

/** One step through a running log's file, in the order of the log. */
export type Walked =
  | {
      kind: 'record';
      position: number;
      header: RecordHeader;
      /** Empty for a record that declares bytes lost. */
      payload: Buffer;
      /** False when the payload is not what was written. */
      sound: boolean;
    }
  | {
      /** Something unreadable; the log goes on at offset `to`, or not at all (undefined). */
      kind: 'gap';
      position: number;
      offset: number;
      to: number | undefined;
    };

/** How far a search for headers looks in one reading. */
const SEARCH_BYTES = 128 * 1024;

/**
 * Walks over the records from `position`, where the one at `offset` should stand. Damaged parts come as gaps, or as records that are
 * not sound; the walk goes on behind them.
 */
export async function* walkRecords(
  window: Window,
  start: { salt: number; position: number; offset: number },
): AsyncGenerator<Walked, void, undefined> {
  const { salt } = start;
  let { position, offset } = start;
  while (position < window.end) {
    const head =
      window.peek(position, RECORD_HEADER_BYTES) ?? (await window.at(position, RECORD_HEADER_BYTES));
    const header = readRecordHeader(head, 0, salt);
    if (header === undefined || header.offset !== offset) {
      const next = await findRecord(window, salt, position + 1, offset);
      yield { kind: 'gap', position, offset, to: next?.offset };
      if (next === undefined) return;
      ({ position, offset } = next);
      continue;
    }
    const body = position + RECORD_HEADER_BYTES;
    const stored = header.channel === undefined ? 0 : header.length;
    const payload = window.peek(body, stored) ?? (await window.at(body, stored));
    const sound = payload.length === stored && crc32(payload) === header.crc;
    yield { kind: 'record', position, header, payload, sound };
    position = body + stored;
    offset += header.length;
  }
}

/** The next sound header behind `position` of a record that comes after `offset`. */
async function findRecord(
  window: Window,
  salt: number,
  position: number,
  offset: number,
): Promise<{ position: number; offset: number } | undefined> {
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(salt);
  for await (const { from, bytes } of stretches(window, position)) {
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) {
      if (at + RECORD_HEADER_BYTES > bytes.length) break;
      const header = readRecordHeader(bytes, at, salt);
      if (header !== undefined && header.offset > offset)
        return { position: from + at, offset: header.offset };
    }
  }
  return undefined;
}

/** What a search for headers reads, from `position` to the end. A header that straddles the border of two stretches is whole in the second. */
export async function* stretches(
  window: Window,
  position: number,
): AsyncGenerator<{ from: number; bytes: Buffer }, void, undefined> {
  for (let from = position; from < window.end; from += SEARCH_BYTES - RECORD_HEADER_BYTES + 1)
    yield { from, bytes: await window.at(from, SEARCH_BYTES) };
}

import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { SKIPPABLE_HEADER_BYTES, TABLE_MAGIC, findTrailers } from './block.ts';
import type { Block } from './block.ts';
import type { Range } from './recover.ts';
import { readFully } from './window.ts';

/** What a finished log's file says of the whole. */
export interface Table {
  bytes: number;
  lines: number;
  /** Hex; null when the table had to be made again from the blocks. */
  sha256: string | null;
  /** What was lost before the log was finished, and what has been found damaged since. */
  damaged: Range[];
  blocks: Block[];
}

const BLOCK_ENTRY_BYTES = 38;
/** Last bytes of the file: number of blocks, bytes of JSON, CRC of all before, magic. */
const FOOTER_BYTES = 20;
const FOOTER_MAGIC = Buffer.from('BBXLOGZ1', 'latin1');

/** The table as a skippable frame. */
export function encodeTable(table: Table): Buffer {
  const { blocks, ...meta } = table;
  const json = Buffer.from(JSON.stringify(meta));
  const bytes = Buffer.alloc(
    SKIPPABLE_HEADER_BYTES + blocks.length * BLOCK_ENTRY_BYTES + json.length + FOOTER_BYTES,
  );
  bytes.writeUInt32LE(TABLE_MAGIC, 0);
  bytes.writeUInt32LE(bytes.length - SKIPPABLE_HEADER_BYTES, 4);
  let at = SKIPPABLE_HEADER_BYTES;
  for (const block of blocks) {
    bytes.writeUIntLE(block.position, at, 6);
    bytes.writeUInt32LE(block.frameBytes, at + 6);
    bytes.writeUInt32LE(block.trailerBytes, at + 10);
    bytes.writeUIntLE(block.offset, at + 14, 6);
    bytes.writeUInt32LE(block.bytes, at + 20);
    bytes.writeUIntLE(block.lines, at + 24, 6);
    bytes.writeDoubleLE(block.at, at + 30);
    at += BLOCK_ENTRY_BYTES;
  }
  json.copy(bytes, at);
  at += json.length;
  bytes.writeUInt32LE(blocks.length, at);
  bytes.writeUInt32LE(json.length, at + 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at + 8)), at + 8);
  FOOTER_MAGIC.copy(bytes, at + 12);
  return bytes;
}

/** The table of a file, or undefined when it does not hold: then `rebuildTable`. */
export async function readTable(handle: FileHandle): Promise<Table | undefined> {
  const { size } = await handle.stat();
  const footer = await readFully(handle, Math.max(0, size - FOOTER_BYTES), FOOTER_BYTES);
  if (footer.length < FOOTER_BYTES || !footer.subarray(12).equals(FOOTER_MAGIC)) return undefined;
  const count = footer.readUInt32LE(0);
  const jsonBytes = footer.readUInt32LE(4);
  const length = SKIPPABLE_HEADER_BYTES + count * BLOCK_ENTRY_BYTES + jsonBytes + FOOTER_BYTES;
  if (length > size) return undefined;
  const bytes = await readFully(handle, size - length, length);
  const sealed = length - FOOTER_BYTES + 8;
  if (bytes.length < length || crc32(bytes.subarray(0, sealed)) !== bytes.readUInt32LE(sealed))
    return undefined;
  const entries = SKIPPABLE_HEADER_BYTES + count * BLOCK_ENTRY_BYTES;
  const meta = JSON.parse(bytes.toString('utf8', entries, entries + jsonBytes)) as Omit<Table, 'blocks'>;
  const blocks = Array.from({ length: count }, (_, index): Block => {
    const at = SKIPPABLE_HEADER_BYTES + index * BLOCK_ENTRY_BYTES;
    return {
      position: bytes.readUIntLE(at, 6),
      frameBytes: bytes.readUInt32LE(at + 6),
      trailerBytes: bytes.readUInt32LE(at + 10),
      offset: bytes.readUIntLE(at + 14, 6),
      bytes: bytes.readUInt32LE(at + 20),
      lines: bytes.readUIntLE(at + 24, 6),
      at: bytes.readDoubleLE(at + 30),
    };
  });
  return { ...meta, blocks };
}

/** How much of a file is searched at once; two blocks and their trailers always fit. */
const SEARCH_BYTES = 8 * 1024 * 1024;

/** The table made again from the blocks' trailers, for a file whose own table is damaged. Undefined when not one is found. */
export async function rebuildTable(handle: FileHandle): Promise<Table | undefined> {
  const { size } = await handle.stat();
  const blocks = new Map<number, Block>();
  for (let from = 0; from < size; from += SEARCH_BYTES / 2) {
    const bytes = await readFully(handle, from, Math.min(SEARCH_BYTES, size - from));
    for (const { block } of findTrailers(bytes, from)) blocks.set(block.offset, block);
  }
  const sorted = [...blocks.values()].sort((a, b) => a.offset - b.offset);
  const last = sorted.at(-1);
  if (last === undefined) return undefined;
  const damaged: Range[] = [];
  let end = 0;
  for (const block of sorted) {
    if (block.offset > end) damaged.push({ from: end, to: block.offset });
    end = Math.max(end, block.offset + block.bytes);
  }
  return { bytes: end, lines: last.lines, sha256: null, damaged, blocks: sorted };
}

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { BLOCK_BYTES, decodeBlock, encodeBlock } from './block.ts';
import type { Block } from './block.ts';
import { manyFrames, singleFrame } from './frames.ts';
import { cut, lost } from './piece.ts';
import type { LogPiece } from './piece.ts';
import { countLines } from './record.ts';
import type { Range } from './recover.ts';
import { createRuns } from './runs.ts';
import { encodeTable } from './table.ts';
import type { Table } from './table.ts';
import { readFully, type Scratch } from './window.ts';

/**
 * Writes the pieces of a whole log of `size` bytes as a finished one; durable when it resolves. Memory: one block, in `scratch`. `rest` is waited for after each block,
 * with the milliseconds that the block took.
 */
export async function writeFinished(
  handle: FileHandle,
  size: number,
  pieces: AsyncIterable<LogPiece>,
  damaged: () => Range[],
  rest: (tookMs: number) => Promise<void> | undefined,
  scratch: Scratch,
): Promise<Table & { sha256: string }> {
  const hash = createHash('sha256');
  const blocks: Block[] = [];
  const runs = createRuns();
  const raw = scratch.take(BLOCK_BYTES).subarray(0, Math.min(BLOCK_BYTES, size));
  using frames = size > BLOCK_BYTES ? manyFrames(Math.log2(BLOCK_BYTES)) : singleFrame;
  let filled = 0;
  let position = 0;
  let offset = 0;
  let lines = 0;

  let begun = performance.now();
  const flush = async () => {
    const bytes = raw.subarray(0, filled);
    const taken = runs.take();
    const at = taken[0]?.at ?? 0;
    const made = await encodeBlock(bytes, taken, { offset, lines, at, position }, frames);
    await handle.writeFile(made.bytes);
    blocks.push(made.block);
    position += made.bytes.length;
    offset += filled;
    lines += countLines(bytes);
    filled = 0;
    await rest(performance.now() - begun);
    begun = performance.now();
  };

  for await (const piece of pieces) {
    hash.update(piece.bytes);
    for (let from = 0; from < piece.bytes.length;) {
      const length = Math.min(piece.bytes.length - from, raw.length - filled);
      raw.set(piece.bytes.subarray(from, from + length), filled);
      runs.add({ length, channel: piece.damaged === true ? undefined : piece.channel, at: piece.at });
      filled += length;
      from += length;
      if (filled === raw.length) await flush();
    }
  }
  if (filled > 0) await flush();

  const table = { bytes: offset, lines, sha256: hash.digest('hex'), damaged: damaged(), blocks };
  await handle.writeFile(encodeTable(table));
  await handle.datasync();
  return table;
}

/**
 * The pieces of a finished log within a range; a block that does not hold is given as lost and told to `onDamage`, one whose channels and times alone are lost
 * to `onUnmarked`.
 */
export async function* readFinished(
  handle: FileHandle,
  table: Table,
  range: Range,
  onDamage: (range: Range) => void,
  onUnmarked?: (range: Range) => void,
): AsyncGenerator<LogPiece, void, undefined> {
  let reached = range.from;
  for (const block of table.blocks.slice(firstBlock(table.blocks, range.from))) {
    if (reached >= range.to) return;
    // Only a table that was made again has holes.
    if (block.offset > reached) yield* lost({ from: reached, to: block.offset, at: block.at }, range);
    const stored = await readFully(handle, block.position, block.frameBytes + block.trailerBytes);
    const decoded = await decodeBlock(stored, block);
    const end = block.offset + block.bytes;
    if (decoded === undefined) {
      const bad = { from: block.offset, to: end };
      onDamage(bad);
      yield* lost({ ...bad, at: block.at }, range);
    } else {
      if (decoded.unmarked === true) onUnmarked?.({ from: block.offset, to: end });
      let from = 0;
      for (const { length, channel, at } of decoded.runs) {
        const offset = block.offset + from;
        const bytes = decoded.raw.subarray(from, from + length);
        if (channel === undefined) yield* lost({ from: offset, to: offset + length, at }, range);
        else yield* cut(bytes, { offset, channel, at }, range);
        from += length;
      }
    }
    reached = Math.max(reached, end);
  }
}

/** Index of the block that holds an offset. */
function firstBlock(blocks: readonly Block[], offset: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const block = blocks[middle] as Block;
    if (block.offset + block.bytes <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

import { createHash, type Hash } from 'node:crypto';
import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { SpoolBudget } from './spool-budget.ts';
import { readRecords, type FullDisk } from './spool-file.ts';
import { PIECE_HEADER_BYTES, parseSegmentName, pieceOf, segmentName } from './spool-piece.ts';
import { RECORD_HEADER_BYTES } from './spool-record.ts';

/** What a piece takes in a file beside its bytes. */
export const OVERHEAD_BYTES = RECORD_HEADER_BYTES + PIECE_HEADER_BYTES;
/** A place in the index for so many bytes: a resend reads at most that much too much. */
const INDEX_EVERY_BYTES = 64 * 1024;

/** What every log of a spool shares. */
export interface SpoolDeps {
  clock: Clock;
  budget: SpoolBudget;
  disk: FullDisk;
}

/** A full disk is waited for only until nobody wants the build any more: its end is what gives room. */
export function leavable(deps: SpoolDeps, gone: AbortSignal): SpoolDeps {
  const { disk } = deps;
  return {
    ...deps,
    disk: { wait: (error) => disk.wait(error, gone), over: () => disk.over() },
  };
}

export interface LogPlace {
  dir: string;
  id: number;
  step: number;
  name: string;
  /** Lets writers that wait for room fail. */
  gone: AbortSignal;
  /** Called when the log has grown. */
  changed?: (() => void) | undefined;
}

/** One file of a log. */
export interface Segment {
  path: string;
  base: number;
  /** Bytes of the log in it. */
  length: number;
  fileBytes: number;
  index: { offset: number; position: number }[];
}

/** A record of so many bytes of the log stands at `position`. */
export function noteRecord(
  segment: Segment,
  offset: number,
  record: { position: number; bytes: number },
): void {
  const lastIndexed = segment.index.at(-1)?.offset ?? -Infinity;
  if (offset - lastIndexed >= INDEX_EVERY_BYTES) segment.index.push({ offset, position: record.position });
  segment.length += record.bytes;
  segment.fileBytes = record.position + OVERHEAD_BYTES + record.bytes;
}

/** Where the files of each log in an attempt's directory begin, by the log's number, in no order. */
export async function findSegments(dir: string): Promise<ReadonlyMap<number, readonly number[]>> {
  const bases = new Map<number, number[]>();
  for (const name of await readdir(dir)) {
    const segment = parseSegmentName(name);
    if (segment !== undefined) bases.set(segment.id, [...(bases.get(segment.id) ?? []), segment.base]);
  }
  return bases;
}

/** The files of a log as a former process left them, and the SHA-256 of what is in them where that is all of the log. */
export async function recoverSegments(
  place: LogPlace,
  bases: readonly number[],
  deps: SpoolDeps,
): Promise<{ segments: Segment[]; hash: Hash | undefined }> {
  const segments: Segment[] = [];
  const hash = createHash('sha256');
  let broken = false;
  for (const base of bases.toSorted((a, b) => a - b)) {
    const path = join(place.dir, segmentName(place.id, base));
    const before = segments.at(-1);
    if (broken || (before !== undefined && before.base + before.length !== base)) {
      // Behind a hole: could only be sent out of order, so it is as lost as the hole.
      broken = true;
      await unlink(path);
      continue;
    }
    const segment: Segment = { path, base, length: 0, fileBytes: 0, index: [] };
    const file = await open(path, 'r+');
    try {
      for await (const record of readRecords(file, 0)) {
        const piece = pieceOf(record.content, segment.base + segment.length);
        if (piece === undefined) break;
        noteRecord(segment, piece.offset, { position: record.position, bytes: piece.payload.length });
        hash.update(piece.payload);
      }
      if ((await file.stat()).size > segment.fileBytes) {
        broken = true;
        await file.truncate(segment.fileBytes);
      }
    } finally {
      await file.close();
    }
    deps.budget.force(segment.fileBytes);
    segments.push(segment);
  }
  return { segments, hash: segments[0]?.base === 0 ? hash : undefined };
}

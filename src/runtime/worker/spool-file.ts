import { closeSync, openSync, readSync, writev, writevSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { RECORD_HEADER_BYTES, RECORD_MAX_BYTES, decodeRecord } from './spool-record.ts';

/** A record's place in its file. */
export interface RecordAt {
  content: Buffer;
  position: number;
  /** Where the next record begins. */
  next: number;
}

/**
 * So few bytes are written and read on the spot: a call that a thread makes takes ten times as much of the processor, and a small build made some
 * twenty of them. Much data, and what waits for the disk itself (syncs), goes through threads.
 */
const ON_THE_SPOT_BYTES = 16 * 1024;

/** A file with records, open for reading. */
export interface RecordSource {
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
}

/** Opens a file of which about so many bytes are to be read. */
export async function openRecords(
  path: string,
  bytes: number,
): Promise<RecordSource & { close(): Promise<void> }> {
  if (bytes > ON_THE_SPOT_BYTES) return open(path, 'r');
  const fd = openSync(path, 'r');
  return {
    read: async (buffer, offset, length, position) => ({
      bytesRead: readSync(fd, buffer, offset, length, position),
    }),
    close: async () => closeSync(fd),
  };
}

/**
 * Read at once, when so much is there: each read is handed to a thread and waited for, which took a quarter of the worker's time when they were of
 * 128 KiB. A reader holds one such buffer.
 */
const READ_BYTES = 512 * 1024;
/** Any piece of a log fits, with what stands before it. */
const LEAST_READ_BYTES = 128 * 1024;
/** Where less than a piece is to be read: what stands before its bytes. */
const LEAST_SMALL_READ_BYTES = 1024;
const LONGEST = RECORD_HEADER_BYTES + RECORD_MAX_BYTES;

/**
 * Records from `position` up to `end`, in order, with flat memory; contents are valid until the next is asked for. Stops before the
 * first record that is cut off or does not pass its checksum. `left`: about so much is to be read, as far as the caller knows.
 */
export async function* readRecords(
  file: RecordSource,
  position: number,
  { end = Infinity, bytes: left = Infinity }: { end?: number; bytes?: number } = {},
): AsyncGenerator<RecordAt, void, void> {
  const rest = Math.min(left, end - position);
  const likely = rest + (rest > ON_THE_SPOT_BYTES ? LEAST_READ_BYTES : LEAST_SMALL_READ_BYTES);
  let buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, likely));
  let from = position;
  for (;;) {
    const wanted = Math.min(buffer.length, end - from);
    if (wanted <= 0) return;
    const { bytesRead } = await file.read(buffer, 0, wanted, from);
    const bytes = buffer.subarray(0, bytesRead);
    let at = 0;
    for (;;) {
      const record = decodeRecord(bytes, at);
      if (record === 'damaged') return;
      if (record === 'short') break;
      yield { content: record.content, position: from + at, next: from + record.next };
      at = record.next;
    }
    if (at === 0) {
      // Not even one record fits: the file ends within it, or the buffer is too small for it.
      if (bytesRead < buffer.length || buffer.length >= LONGEST) return;
      buffer = Buffer.allocUnsafe(LONGEST);
      continue;
    }
    from += at;
  }
}

/** IOV_MAX of Linux. */
export const APPEND_PARTS = 1_024;

/** What an append needs of its surroundings when the disk is full. */
export interface FullDisk {
  /** Waits for the next try; rejects when the wait is given up, by `gone` or for all. */
  wait(error: Error, gone?: AbortSignal): Promise<void>;
  /** A write went through again. */
  over(): void;
}

/** A file that only grows, and only by whole records as far as readers are concerned. */
export interface AppendFile {
  /** Bytes that are safely readable. */
  readonly size: number;
  /** Parts behind one another, at most `APPEND_PARTS`; one call at a time. A full disk makes it wait and try again, unless `disk` lets no wait be. */
  append(...parts: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens for appending at `size`; whatever stands behind that is overwritten. */
export async function openAppendFile(path: string, size: number, disk: FullDisk): Promise<AppendFile> {
  // Made when missing, never emptied, readable only for the worker's user: output may hold what is nobody else's business.
  const fd = await retried(disk, async () => openSync(path, size === 0 ? 'w' : 'r+', 0o600));
  let end = size;
  return {
    get size() {
      return end;
    },
    async append(...parts) {
      let position = end;
      for (let rest = parts; rest.length > 0;) {
        // By position: a try that wrote a part and then failed is simply written over.
        const bytesWritten = await retried(disk, () => write(fd, rest, position));
        position += bytesWritten;
        rest = behind(rest, bytesWritten);
      }
      end = position;
    },
    close: async () => closeSync(fd),
  };
}

const writeElsewhere = promisify(writev);

/** Gives how many bytes of the parts were written. */
async function write(fd: number, parts: readonly Uint8Array[], position: number): Promise<number> {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  if (bytes <= ON_THE_SPOT_BYTES) return writevSync(fd, parts, position);
  return (await writeElsewhere(fd, parts, position)).bytesWritten;
}

/** What is left of the parts after so many bytes of them. */
function behind(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let done = 0;
  let left = bytes;
  for (const { length } of parts) {
    if (left < length) break;
    left -= length;
    done += 1;
  }
  const [first, ...rest] = parts.slice(done);
  return first === undefined ? [] : [first.subarray(left), ...rest];
}

/** Does it again for as long as the disk is full. */
export async function retried<Result>(disk: FullDisk, act: () => Promise<Result>): Promise<Result> {
  for (let tries = 0; ; tries += 1) {
    try {
      const result = await act();
      if (tries > 0) disk.over();
      return result;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await disk.wait(error);
    }
  }
}

/** Whether an error says that there is no room, or no more for this user. */
export function isDiskFull(error: unknown): error is Error {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { RECORD_HEADER_BYTES, RECORD_MAX_BYTES, decodeRecord } from './spool-record.ts';

/** A record's place in its file. */
export interface RecordAt {
  content: Buffer;
  position: number;
  /** Where the next record begins. */
  next: number;
}

const READ_BYTES = 128 * 1024;
const LONGEST = RECORD_HEADER_BYTES + RECORD_MAX_BYTES;

/**
 * Records from `position` up to `end`, in order, with flat memory; contents are valid until the next is asked for. Stops before the
 * first record that is cut off or does not pass its checksum.
 */
export async function* readRecords(
  file: FileHandle,
  position: number,
  end = Infinity,
): AsyncGenerator<RecordAt, void, void> {
  let buffer = Buffer.allocUnsafe(READ_BYTES);
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

/** What an append needs of its surroundings when the disk is full. */
export interface FullDisk {
  /** Waits for the next try; rejects when the wait is given up. */
  wait(error: Error): Promise<void>;
  /** A write went through again. */
  over(): void;
}

/** A file that only grows, and only by whole records as far as readers are concerned. */
export interface AppendFile {
  /** Bytes that are safely readable. */
  readonly size: number;
  /** One at a time. A full disk makes it wait and try again: nothing is dropped. */
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens for appending at `size`; whatever stands behind that is overwritten. */
export async function openAppendFile(path: string, size: number, disk: FullDisk): Promise<AppendFile> {
  // Made when missing, never emptied, readable only for the worker's user: output may hold what is nobody else's business.
  const file = await retried(disk, () => open(path, size === 0 ? 'w' : 'r+', 0o600));
  let end = size;
  return {
    get size() {
      return end;
    },
    async append(bytes) {
      let written = 0;
      while (written < bytes.length) {
        // By position: a try that wrote a part and then failed is simply written over.
        const { bytesWritten } = await retried(disk, () =>
          file.write(bytes, written, bytes.length - written, end + written),
        );
        written += bytesWritten;
      }
      end += bytes.length;
    },
    close: () => file.close(),
  };
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

function isDiskFull(error: unknown): error is Error {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

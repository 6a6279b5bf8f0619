import type { FileHandle } from 'node:fs/promises';

/** What is read at once: few calls, little memory. */
const WINDOW_BYTES = 256 * 1024;

/**
 * Reads a file forward in large pieces. What it gives stays valid, since each refill has memory of its own; with `reuse` it is good until
 * the next call of `at`. `end` is where the part of the file that counts ends.
 */
export function createWindow(handle: FileHandle, end: number, memory: 'fresh' | 'reuse' = 'fresh') {
  let start = 0;
  let bytes: Buffer = Buffer.alloc(0);
  let kept: Buffer = Buffer.alloc(0);

  const peek = (position: number, length: number): Buffer | undefined => {
    const wanted = Math.min(length, end - position);
    const from = position - start;
    if (from < 0 || from + wanted > bytes.length) return undefined;
    return bytes.subarray(from, from + wanted);
  };

  return {
    end,
    /** The `length` bytes at `position`, fewer at the end of the file. */
    async at(position: number, length: number): Promise<Buffer> {
      const known = peek(position, length);
      if (known !== undefined) return known;
      const wanted = Math.max(0, Math.min(Math.max(length, WINDOW_BYTES), end - position));
      start = position;
      if (memory === 'reuse' && kept.length < wanted) kept = Buffer.allocUnsafe(wanted);
      bytes = await readFully(handle, position, wanted, memory === 'reuse' ? kept : undefined);
      return bytes.subarray(0, Math.min(length, bytes.length));
    },
    peek,
  };
}
export type Window = ReturnType<typeof createWindow>;

/** `length` bytes at a position, in `into` where that is given; fewer only where the file ends. */
export async function readFully(
  handle: FileHandle,
  position: number,
  length: number,
  into?: Buffer,
): Promise<Buffer> {
  const bytes = into ?? Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

import type { FileHandle } from 'node:fs/promises';

/** What is read at once: few calls, little memory. */
const WINDOW_BYTES = 256 * 1024;

/** Memory that is used again, by one at a time: new one for each of many logs waits for V8, which collects by its own objects, and those are few. */
export interface Scratch {
  /** At least so many bytes; what was there is over. */
  take(length: number): Buffer;
}

export function createScratch(): Scratch {
  let kept: Buffer = Buffer.alloc(0);
  return {
    take(length) {
      if (kept.length < length) kept = Buffer.allocUnsafeSlow(length);
      return kept;
    },
  };
}

/**
 * Reads a file forward in large pieces. What it gives stays valid, since each refill has memory of its own; with `scratch` it is good until
 * the next call of `at`. `end` is where the part of the file that counts ends.
 */
export function createWindow(handle: FileHandle, end: number, scratch?: Scratch) {
  let start = 0;
  let bytes: Buffer = Buffer.alloc(0);

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
      bytes = await readFully(handle, position, wanted, scratch?.take(wanted));
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

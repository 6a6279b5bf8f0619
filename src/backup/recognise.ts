import { createReadStream } from 'node:fs';
import { createZstdDecompress } from 'node:zlib';
import { HEAD } from './format.ts';
import { readEntries } from './tar.ts';

/** Holds the first block of a frame, at most 128 KiB, and with it the name of the first entry. */
const BEGINNING_BYTES = 256 * 1024;

/** Whether a file begins as a backup of bbx does, whatever it is called. False for what cannot be read. */
export async function isBackup(file: string): Promise<boolean> {
  const source = createReadStream(file, { end: BEGINNING_BYTES - 1, highWaterMark: BEGINNING_BYTES });
  try {
    const plain = source.pipe(createZstdDecompress());
    source.on('error', (error) => plain.destroy(error));
    for await (const { entry } of readEntries(plain)) return entry.path === HEAD;
    return false;
  } catch {
    return false;
  } finally {
    source.destroy();
  }
}

import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { makeFrame, manyFrames } from '../../../src/store/log-files/frames.ts';

/** Frame header (RFC 8878, 3.1.1.1): magic number, then a descriptor whose third bit says that a checksum follows. */
const MAGIC = Buffer.from('28b52ffd', 'hex');
const hasChecksum = (frame: Buffer) => (frame[4]! & 4) !== 0;

const raws = [Buffer.alloc(2 ** 20, 'x'), randomBytes(2 ** 20), Buffer.from('a\n'), randomBytes(700_000)];

it('makes frames of one context that can be read alone, each with its checksum', async () => {
  using frames = manyFrames(20);
  for (const raw of raws) {
    const frame = await frames.make(raw);
    expect(frame.subarray(0, 4)).toEqual(MAGIC);
    expect(hasChecksum(frame)).toBe(true);
    expect(zstdDecompressSync(frame, { maxOutputLength: 2 ** 20 }).equals(raw)).toBe(true);
  }
});

it('makes one alone', async () => {
  for (const raw of raws) {
    const frame = await makeFrame(raw);
    expect(hasChecksum(frame)).toBe(true);
    expect(zstdDecompressSync(frame).equals(raw)).toBe(true);
  }
});

import { promisify } from 'node:util';
import { constants, createZstdCompress, zstdCompress } from 'node:zlib';

const compress = promisify(zstdCompress);

/** Fast enough for the disk and a tenth of the size for usual logs. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

/** Makes zstd frames (RFC 8878) with checksums. */
export interface Frames extends Disposable {
  /** A frame of its own, which needs no other to be read; one call at a time. Errors: zstd's. */
  make(raw: Uint8Array): Promise<Buffer>;
}

/** One frame alone, with a checksum. Told the size, zstd takes memory for that: for a small one kilobytes instead of megabytes. */
export function makeFrame(raw: Uint8Array): Promise<Buffer> {
  return compress(raw, { pledgedSrcSize: raw.length, params: PARAMS });
}

/** For a log of one frame. */
export const singleFrame: Frames = { make: makeFrame, [Symbol.dispose]: () => undefined };

/**
 * For many frames of at most `2 ** windowLog` bytes, all from one context. Each context takes megabytes, and with one for each frame they come from
 * whichever thread makes it: the C library keeps them for every thread.
 */
export function manyFrames(windowLog: number): Frames {
  const stream = createZstdCompress({ params: { ...PARAMS, [constants.ZSTD_c_windowLog]: windowLog } });
  let parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  return {
    async make(raw) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      stream.once('error', reject);
      stream.write(raw);
      stream.flush(constants.ZSTD_e_end, resolve);
      await promise;
      stream.off('error', reject);
      const frame = Buffer.concat(parts);
      parts = [];
      return frame;
    },
    [Symbol.dispose]: () => void stream.destroy(),
  };
}

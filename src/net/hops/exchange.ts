import type { Duplex } from 'node:stream';

/**
 * Reads the answer of a hop from a stream that will carry other bytes afterwards: `take` looks at all that has come so far and says how
 * many bytes the answer has, or undefined while it is not whole. What came behind the answer is put back. Undefined when the
 * stream ended before; rejects with what `take` throws, and with the signal's reason.
 */
export function readAnswer(
  stream: Duplex,
  take: (bytes: Buffer) => number | undefined,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let got: Buffer = Buffer.alloc(0);
    const end = () => {
      signal.removeEventListener('abort', onAbort);
      stream.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
    };
    const onAbort = () => {
      end();
      reject(signal.reason as Error);
    };
    const onEnd = () => {
      end();
      resolve(undefined);
    };
    const onReadable = () => {
      for (
        let chunk = stream.read() as Buffer | null;
        chunk !== null;
        chunk = stream.read() as Buffer | null
      ) {
        got = Buffer.concat([got, chunk]);
        let size: number | undefined;
        try {
          size = take(got);
        } catch (error) {
          end();
          reject(error as Error);
          return;
        }
        if (size === undefined) continue;
        end();
        if (got.length > size) stream.unshift(got.subarray(size));
        resolve(got.subarray(0, size));
        return;
      }
    };
    if (signal.aborted) return onAbort();
    if (stream.destroyed) return onEnd();
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('readable', onReadable).once('end', onEnd).once('close', onEnd);
    onReadable();
  });
}

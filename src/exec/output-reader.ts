import type { Readable } from 'node:stream';

export type Read<Name extends string> = (name: Name, bytes: Buffer) => void | Promise<void>;

/**
 * Reads several pipes of one command in the order in which the system gives their bytes. While `onBytes` has a promise pending none of
 * them is read, so that the command waits at its full pipe.
 */
export function readOutput<Name extends string>(
  pipes: readonly { name: Name; stream: Readable }[],
  options: {
    onBytes: Read<Name>;
    onHold: () => void;
    onResume: () => void;
    onError: (error: unknown) => void;
  },
): { settled: () => Promise<void>; readonly holding: boolean } {
  let holding = false;
  let failed = false;
  let pending: Promise<void> = Promise.resolve();
  const waiting: { name: Name; bytes: Buffer }[] = [];

  const fail = (error: unknown) => {
    failed = true;
    waiting.length = 0;
    options.onError(error);
  };

  const handOn = (name: Name, bytes: Buffer): void => {
    try {
      const taken = options.onBytes(name, bytes);
      if (taken !== undefined) pending = hold(taken);
    } catch (error) {
      fail(error);
    }
  };

  const hold = async (taken: Promise<void>): Promise<void> => {
    holding = true;
    for (const { stream } of pipes) stream.pause();
    options.onHold();
    try {
      await taken;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await options.onBytes(next.name, next.bytes);
      }
    } catch (error) {
      fail(error);
    }
    holding = false;
    options.onResume();
    for (const { stream } of pipes) stream.resume();
  };

  for (const { name, stream } of pipes) {
    stream.on('data', (bytes: Buffer) => {
      // After a fault bytes are read and dropped, so that the command can end.
      if (failed) return;
      if (holding) waiting.push({ name, bytes });
      else handOn(name, bytes);
    });
    stream.on('error', () => undefined);
  }
  return {
    /** Resolves when everything read so far has been taken. */
    async settled() {
      for (let seen: Promise<void> | undefined; seen !== pending;) {
        seen = pending;
        await seen;
      }
    },
    get holding() {
      return holding;
    },
  };
}

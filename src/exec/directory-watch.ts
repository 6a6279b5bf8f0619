import { statSync } from 'node:fs';
import type { BbxError } from '../base/error.ts';
import { errnoOf } from '../base/error.ts';
import { codes } from './codes.ts';
import { lockedDirectory } from './directory-lock.ts';

/** One look is one call of the system. */
const LOOK_EVERY_MS = 10_000;

/**
 * Watches the lock file that this process holds, for as long as it is not disposed. `onGone` is called once with BBX-EXE-GONE (exit 6) when
 * the file was deleted, with its directory or alone, or another one stands in its place: then this process works where nobody sees it, and
 * another may lock what has its name. Trouble with looking is no proof of that.
 */
export function watchLocked(
  path: string,
  onGone: (error: BbxError) => void,
  everyMs: number = LOOK_EVERY_MS,
): Disposable {
  const own = statSync(path);
  const timer = setInterval(() => {
    if (isThere(path, own)) return;
    clearInterval(timer);
    onGone(codes['BBX-EXE-GONE']({ path: lockedDirectory(path) }));
  }, everyMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function isThere(path: string, own: { dev: number; ino: number }): boolean {
  try {
    const now = statSync(path);
    return now.dev === own.dev && now.ino === own.ino;
  } catch (error) {
    return errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR';
  }
}

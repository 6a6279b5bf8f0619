import { existsSync } from 'node:fs';
import { lockDirectory, type DirectoryLock } from './directory-lock.ts';

/** More are given free at once: each keeps a file open. */
const MOST_KEPT = 64;

/**
 * Locks that stay with this process between their uses. Taking one makes and reads files and opens a database, which each small build need
 * not pay again. For whoever holds a lock around all of them anyway.
 */
export interface KeptLocks extends Disposable {
  /** As `lockDirectory`; what is released can be taken again here, and by no other process. */
  take(path: string): Promise<DirectoryLock>;
}

export function createKeptLocks(): KeptLocks {
  const idle = new Map<string, DirectoryLock>();
  let over = false;
  return {
    async take(path) {
      let lock = idle.get(path);
      idle.delete(path);
      if (lock !== undefined && !existsSync(path)) {
        // Somebody has removed the directory: what is locked is another file than who comes will find.
        lock.release();
        lock = undefined;
      }
      const held = lock ?? (await lockDirectory(path));
      let released = false;
      const release = () => {
        if (released) return;
        released = true;
        if (over || idle.size >= MOST_KEPT) held.release();
        else idle.set(path, held);
      };
      return { release, [Symbol.dispose]: release };
    },
    [Symbol.dispose]() {
      over = true;
      for (const lock of idle.values()) lock.release();
      idle.clear();
    },
  };
}

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** Files open at once: far below the usual limit of 1,024 per process, which sockets share. */
const OPEN_FILES = 256;

interface Kept {
  opening: Promise<FileHandle>;
  users: number;
  dropped: boolean;
}

export interface Held {
  handle: FileHandle;
  release: () => Promise<void>;
}

/** A file that never opened has nothing to close. */
const closeQuietly = (entry: Kept): Promise<void> =>
  entry.opening.then(
    (handle) => handle.close(),
    () => undefined,
  );

/** Open files by path, the least recently used closed when there are too many. A file in use is never closed. */
export function createHandles(most = OPEN_FILES) {
  const kept = new Map<string, Kept>();

  const closeIdle = (path: string, entry: Kept): Promise<void> => {
    kept.delete(path);
    return closeQuietly(entry);
  };

  const shrink = async () => {
    const closing: Promise<void>[] = [];
    for (const [path, entry] of kept) {
      if (kept.size <= most) break;
      if (entry.users === 0) closing.push(closeIdle(path, entry));
    }
    await Promise.all(closing);
  };

  /** Keeps the file open until `release`. */
  const hold = async (path: string, flags: string | number): Promise<Held> => {
    let entry = kept.get(path);
    if (entry === undefined) entry = { opening: open(path, flags, 0o600), users: 0, dropped: false };
    else kept.delete(path);
    // Used last stands last.
    kept.set(path, entry);
    entry.users += 1;
    const mine = entry;
    const release = async () => {
      mine.users -= 1;
      if (mine.dropped && mine.users === 0) await closeQuietly(mine);
      if (kept.size > most) await shrink();
    };
    try {
      return { handle: await mine.opening, release };
    } catch (error) {
      if (kept.get(path) === mine) kept.delete(path);
      await release();
      throw error;
    }
  };

  return {
    hold,
    /** Runs `act` with the file open; `flags` count for the first opening. Errors are the system's. */
    async use<T>(path: string, flags: string | number, act: (handle: FileHandle) => Promise<T>): Promise<T> {
      const held = await hold(path, flags);
      try {
        return await act(held.handle);
      } finally {
        await held.release();
      }
    },
    /** Closes a file that is to be removed or replaced; those who are reading it read on. */
    async drop(path: string): Promise<void> {
      const entry = kept.get(path);
      if (entry === undefined) return;
      if (entry.users === 0) return closeIdle(path, entry);
      kept.delete(path);
      entry.dropped = true;
    },
    get open() {
      return kept.size;
    },
    async close(): Promise<void> {
      await Promise.all([...kept].map(([path, entry]) => closeIdle(path, entry)));
    },
  };
}
export type Handles = ReturnType<typeof createHandles>;

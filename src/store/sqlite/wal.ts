import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codes } from '../codes.ts';
import { syncFolder } from '../sync-folder.ts';

/** SQLite's write-ahead log, as a file to be flushed. */
export interface Wal {
  /** Makes durable what was written to it so far. Throws BBX-STO-UNFLUSHED; what was written since the last success may be lost then. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens it, and makes its name and the database's durable. */
async function openNamed(path: string): Promise<FileHandle> {
  const handle = await open(path, 'r+');
  try {
    await syncFolder(dirname(path));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The write-ahead log of a database. SQLite itself (`synchronous=FULL`) flushes it within each commit, which holds up the whole process for as long as the
 * disk takes, once for every transaction. With `synchronous=NORMAL` it flushes only around checkpoints, whose order matters, and commits are flushed
 * here: beside other work, several at once. A flush is of the file, whoever wrote it, so it does what SQLite's own would.
 */
export function createWal(file: string): Wal {
  const path = `${file}-wal`;
  let opened: Promise<FileHandle> | undefined;
  return {
    async sync() {
      try {
        // It is there from the first transaction until the last connection closes.
        opened ??= openNamed(path);
        await (await opened).datasync();
      } catch (error) {
        const problem = `flushing it failed (${(error as Error).message})`;
        throw codes['BBX-STO-UNFLUSHED']({ file: path, problem }, { cause: error });
      }
    },
    async close() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

import { readFile, stat } from 'node:fs/promises';
import { errnoOf } from '../base/error.ts';

/**
 * Whether a program holds the lock file of a directory, by the kernel's table of locks: nothing is opened, which could disturb the holder.
 * Undefined where that cannot be seen: another user's directory, or a system without /proc.
 */
export async function isHeld(lockFile: string, proc = '/proc'): Promise<boolean | undefined> {
  try {
    const [{ ino }, table] = await Promise.all([
      stat(lockFile, { bigint: true }),
      readFile(`${proc}/locks`, 'utf8'),
    ]);
    // `3: POSIX  ADVISORY  WRITE 812 fe:00:2270665 1073741824 1073742335`; the device is left out, since some file systems tell two.
    return table.split('\n').some((line) => / WRITE /.test(line) && line.includes(`:${ino} `));
  } catch (error) {
    const errno = errnoOf(error);
    // The program makes the file at its first start.
    if (errno === 'ENOENT' && (error as { path?: unknown }).path === lockFile) return false;
    if (errno === 'ENOENT' || errno === 'EACCES') return undefined;
    throw error;
  }
}

/** Whether a program listens on a socket of the file system, by the kernel's table; undefined where there is no such table. */
export async function isListenedOn(socket: string, proc = '/proc'): Promise<boolean | undefined> {
  const table = await readFile(`${proc}/net/unix`, 'utf8').catch(() => undefined);
  // Flag 00010000 is SO_ACCEPTCON.
  return table?.split('\n').some((line) => line.includes(' 00010000 ') && line.endsWith(` ${socket}`));
}

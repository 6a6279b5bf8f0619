import { chown, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../base/error.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { codes } from './codes.ts';

/**
 * Puts a text in a file's place, whole or not at all: written beside it, synced, renamed. Mode and owner stay, a link is followed.
 * Throws BBX-CFG-WRITE or BBX-FILE-… with the file as it was.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file);
  const beside = `${target}.new-${process.pid}`;
  try {
    const { mode, uid, gid } = await stat(target);
    const handle = await open(beside, 'wx', mode & 0o777);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode & 0o777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Only root can give a file away; for everybody else it is theirs already, or the rename is what the rights allow.
    if (process.getuid?.() === 0) await chown(beside, uid, gid);
    await rename(beside, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    if (errnoOf(error) === 'EEXIST')
      throw codes['BBX-CFG-WRITE']({ file, reason: 'another bbx is writing it now' }, { cause: error });
    throw fileTrouble(error, file) ?? error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

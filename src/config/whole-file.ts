import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Puts a text in a file's place, whole or not at all, also through a power failure: written beside it, synced, renamed. Nobody ever sees half a
 * file, and a secret never stands there with a wider mode. Rejects with the system's error, the file as it was.
 */
export async function writeWhole(
  file: string,
  text: string | Uint8Array,
  options: { mode: number; owner?: { uid: number; gid: number } },
): Promise<void> {
  const { mode, owner } = options;
  const beside = `${file}.new-${process.pid}`;
  // What a process that was killed has left: in a container the next one has its number.
  await rm(beside, { force: true });
  try {
    const handle = await open(beside, 'wx', mode);
    try {
      await handle.writeFile(text);
      // The umask takes bits away.
      await handle.chmod(mode);
      if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(file));
}

/** The name is there after a power failure only when its folder was synced. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

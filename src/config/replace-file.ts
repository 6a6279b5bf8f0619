import { realpath, stat } from 'node:fs/promises';
import { fileTrouble } from '../base/file-trouble.ts';
import { writeWhole } from './whole-file.ts';

/**
 * Puts a text in the place of a file that is there, whole or not at all. Mode and owner stay, a link is followed. Throws BBX-FILE-… with the
 * file as it was.
 */
export async function replaceFile(file: string, text: string | Uint8Array): Promise<void> {
  const target = await realpath(file);
  try {
    const { mode, uid, gid } = await stat(target);
    // Only root can give a file away; for everybody else it is theirs already, or the rename is what the rights allow.
    const owner = process.getuid?.() === 0 ? { owner: { uid, gid } } : {};
    await writeWhole(target, text, { mode: mode & 0o777, ...owner });
  } catch (error) {
    throw fileTrouble(error, file) ?? error;
  }
}

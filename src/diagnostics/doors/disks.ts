import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import type { DiskFact, DiskFacts } from '../facts/disks.ts';

/** Looks at the disk of each part; those on one disk are one fact. A part that is not there yet will stand on the disk of the nearest directory above. */
export async function readDisks(
  parts: readonly { readonly name: string; readonly path: string }[],
): Promise<DiskFacts> {
  const at = new Date().toISOString();
  const disks = new Map<string, DiskFact>();
  const unseen: string[] = [];
  for (const { name, path } of parts) {
    try {
      const there = await nearest(path);
      const [{ dev }, room] = await Promise.all([stat(there, { bigint: true }), statfs(there)]);
      const known = disks.get(String(dev));
      disks.set(String(dev), {
        parts: [...(known?.parts ?? []), name],
        path: known?.path ?? there,
        bytes: room.blocks * room.bsize,
        freeBytes: room.bavail * room.bsize,
        freeFiles: room.files === 0 ? null : room.ffree,
      });
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      unseen.push(path);
    }
  }
  return { at, disks: [...disks.values()], unseen };
}

async function nearest(path: string): Promise<string> {
  for (let there = path; ; there = dirname(there)) {
    try {
      await stat(there);
      return there;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || dirname(there) === there) throw error;
    }
  }
}

import type { Db } from './database.ts';
import { getMeta } from './meta.ts';

/** Key of what is noted in a store that began another life: by `bbx restore`, or by a master under which it went back in time. */
export const RESTORED = 'restored';

/** Where a restored store comes from. Times are epoch seconds. */
export interface Restored {
  at: number;
  /** When the rows were so. */
  takenAt: number;
  /** The epoch of the life that it was taken from. */
  from: string;
  /** The last number that a build had: builds up to it that have no result ran in that life, and nowhere now. */
  lastBuild: number;
  /** No backup: a database that had lost changes, found while a master ran. `takenAt` is when that was noticed. */
  rewound?: true;
}

/** What is known of the backup that this store was restored from; undefined for one that never was. */
export async function restoredFrom(db: Db): Promise<Restored | undefined> {
  const text = await getMeta(db, RESTORED);
  return text === undefined ? undefined : (JSON.parse(text) as Restored);
}

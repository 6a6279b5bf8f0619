import { buildTitle } from '../../build/title.ts';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { SpoolBuild } from './spool-build.ts';
import { LEASE } from './spool-directory.ts';

/** A build of another life of the master's store, as it is kept. */
export interface AsideBuild {
  /** Its id in that life. */
  build: number;
  epoch: string;
  /** `demo/17`. */
  name: string;
  /** Folder of the spool that it is in. */
  folder: string;
}

/** The oldest ones are named; nobody counts on from there. */
export const MOST_ASIDE = 1_000;

/** What is told of it; the rest may be of another version. */
const lease = z.object({
  build: z.number(),
  epoch: z.string(),
  plan: z.object({ builder: z.string(), number: z.number() }),
});

/** What a build will be called once it is in `folder`. */
export function asideOf({ lease: { build, epoch, plan } }: SpoolBuild, folder: string): AsideBuild {
  return { build, epoch, name: buildTitle(plan), folder };
}

/** What former processes set aside in a folder of the spool; what cannot be read is left out. */
export async function readAside(spool: string, folder: string): Promise<AsideBuild[]> {
  const found: AsideBuild[] = [];
  const names = await readdir(join(spool, folder));
  for (const name of names.sort().slice(0, MOST_ASIDE)) {
    try {
      const read = lease.parse(JSON.parse(await readFile(join(spool, folder, name, LEASE), 'utf8')));
      const { build, epoch, plan } = read;
      found.push({ build, epoch, name: buildTitle(plan), folder });
    } catch {
      // Damaged, or somebody's own file: the folder is still named in the note.
    }
  }
  return found;
}

/** Builds named in one note. */
const NAMED = 10;

/** What people are told of a folder: its builds, and where they are. */
export function asideNote(folder: string, builds: readonly AsideBuild[]): string {
  const own = builds.filter((build) => build.folder === folder);
  const named = own.slice(0, NAMED).map(({ name }) => name);
  const more = own.length > NAMED ? ` and ${own.length - NAMED} more` : '';
  const what =
    own.length === 0 ? 'builds' : `${own.length === 1 ? 'build' : 'builds'} ${named.join(', ')}${more}`;
  return `set aside ${what} of the store's other life, before it was restored; kept in spool/${folder} until somebody removes it`;
}

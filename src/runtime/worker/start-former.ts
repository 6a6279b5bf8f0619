import { readdir } from 'node:fs/promises';
import { endLeftovers } from '../../exec/end-processes.ts';
import { workerMarker } from './workspace.ts';

/** Ends what builds of former processes left running, but for those builds that the keeper still has. Gives how many processes. */
export async function endFormer(
  builds: string,
  kept: readonly string[],
  uids: readonly number[],
): Promise<number> {
  const marker = workerMarker(builds);
  if (kept.length === 0) return (await endLeftovers(marker, { uids })).found;
  let found = 0;
  for (const name of await readdir(builds))
    if (!kept.includes(name)) found += (await endLeftovers(`${marker}/${name}`, { uids })).found;
  return found;
}

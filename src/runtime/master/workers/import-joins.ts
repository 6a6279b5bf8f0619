import { readFile, rm } from 'node:fs/promises';
import { errnoOf } from '../../../base/error.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import { isPattern } from '../../../base/pattern.ts';
import { joinsFile } from '../../../config/joins-file.ts';
import { addJoin, joinBySecret } from '../../../store/joins.ts';
import type { Store } from '../../../store/store.ts';
import { findWorker, upsertWorker } from '../../../store/workers.ts';
import { oneLine } from '../trouble.ts';

/**
 * Takes the joins that were made before the farm had a store (`bbx identity new`) from `file`, and removes it: hashes only, so the file is no
 * secret, and one that comes twice changes nothing. Gives how many were new.
 */
export async function importJoins(
  store: Store,
  file: string,
  { clock, log }: { clock: Clock; log: Log },
): Promise<number> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
  let parsed;
  try {
    parsed = joinsFile.parse(JSON.parse(text));
  } catch (error) {
    log.error(`Cannot read the joins in "${file}": it stays where it is`, { error: oneLine(error) });
    return 0;
  }
  const now = clock.wall();
  const added = await store.write(async (tx) => {
    let count = 0;
    for (const { secret_sha256, names, uses, expires_at } of parsed.joins) {
      if ((await joinBySecret(tx, secret_sha256, names)) !== undefined) continue;
      await addJoin(tx, { secretHash: secret_sha256, names, uses, expiresAt: expires_at, now });
      count += 1;
      if (isPattern(names) || (await findWorker(tx, names)) !== undefined) continue;
      await upsertWorker(tx, { name: names, state: 'invited', publicKey: null, now });
    }
    return count;
  });
  await rm(file, { force: true });
  if (added > 0) log.info('Joins of the identity taken in', { joins: added });
  return added;
}

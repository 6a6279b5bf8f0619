import type { Log } from '../base/log.ts';
import { openStore } from './store.ts';

/**
 * Brings a store to this program's schema, as every opening for writing does, and says what that took; a store that does not exist is
 * not made. The master must not run (its lock on the directory is the caller's to take). Errors: those of `openStore`.
 */
export async function upgradeStore(
  url: string,
  options: { dir: string; log?: Log },
): Promise<{ store: string; schema: number; ran: readonly number[] }> {
  const { dir, log } = options;
  await assertThere(url, dir);
  await using store = await openStore(url, { dir, ...(log === undefined ? {} : { log }) });
  return { store: store.name, schema: store.schema, ran: store.upgraded };
}

/** Opening for reading says BBX-STO-MISSING; an older schema is what an upgrade is for. */
async function assertThere(url: string, dir: string): Promise<void> {
  try {
    await (await openStore(url, { dir, readOnly: true })).close();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'BBX-STO-OLDER-SCHEMA') throw error;
  }
}

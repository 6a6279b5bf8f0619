import { BbxError } from '../../base/error.ts';
import { openStore } from '../../store/store.ts';
import { parseStoreUrl } from '../../store/url.ts';
import type { StoreFacts } from '../facts/store.ts';
import type { ProgramSubject } from '../subject.ts';

/**
 * Opens a master's store for reading and closes it again. A file is asked only while its master runs: a reader of a file at rest would make
 * files beside it, and the doctor changes nothing.
 */
export async function readStore(
  { store, dir, running }: ProgramSubject,
  options: { env: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): Promise<StoreFacts | undefined> {
  if (store === null) return undefined;
  const at = new Date().toISOString();
  const began = performance.now();
  const told = (error: StoreFacts['error']): StoreFacts => ({
    at,
    // What was read as an address holds no password.
    store,
    ms: Math.round(performance.now() - began),
    error,
  });
  if (parseStoreUrl(store, dir).kind === 'sqlite' && running !== true) return undefined;
  try {
    const { env, signal } = options;
    await using _opened = await openStore(store, { dir, readOnly: true, env, signal });
    return told(null);
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof BbxError)) throw error;
    return told({ code: error.code, message: error.message, hint: error.hint ?? null });
  }
}

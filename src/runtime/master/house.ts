import { readFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { BbxError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import { masterLayout } from '../../config/layout.ts';
import type { MasterConfig } from '../../config/master-config.ts';
import { lockDirectory } from '../../exec/directory-lock.ts';
import { watchLocked } from '../../exec/directory-watch.ts';
import { readSigningKey, type SigningKey } from '../../protocol/bbx/keys.ts';
import { openLogFiles, type LogFiles } from '../../store/log-files.ts';
import { openStore, type Store } from '../../store/store.ts';
import { watchStore } from './store-watch.ts';
import { STORE, type TroubleList } from './trouble.ts';
import { importJoins } from './workers/import-joins.ts';

/** How long a start waits for a database that is away: after a power cut both begin together. A service manager tries again after that. */
const STORE_WAIT_MS = 30_000;

/** What a master has in its directory and its store, for it alone. */
export interface MasterHouse {
  key: SigningKey;
  keyPem: string;
  certificate: string;
  store: Store;
  files: LogFiles;
  /** Resolves when the store is another master's, or not what it was, or the directory is gone. */
  lost: Promise<BbxError>;
  /** The directory is gone: what has its name now may be another's, and nothing can be kept any more. */
  isGone(): boolean;
}

/** Locks the directory and opens what is in it; everything goes onto `opened`, in the order in which the end takes it back. */
export async function openHouse(
  config: MasterConfig,
  deps: {
    dir: string;
    clock: Clock;
    log: Log;
    env: Readonly<Record<string, string | undefined>>;
    trouble: TroubleList;
    signal?: AbortSignal;
  },
  opened: AsyncDisposableStack,
): Promise<MasterHouse> {
  const { clock, log, env, trouble, signal } = deps;
  const layout = masterLayout(deps.dir);
  const lock = await lockDirectory(layout.lock);
  let isGone = false;
  opened.defer(() => (isGone ? undefined : lock.release()));
  const lost = Promise.withResolvers<BbxError>();
  opened.use(
    watchLocked(layout.lock, (error) => {
      isGone = true;
      lost.resolve(error);
    }),
  );
  const [keyPem, certificate] = await Promise.all([
    readFile(layout.key, 'utf8'),
    readFile(layout.certificate, 'utf8'),
  ]);
  const key = readSigningKey(keyPem, layout.key);
  const opening = opened.use(
    await openStore(config.store, {
      dir: layout.root,
      clock,
      log,
      env,
      sole: true,
      waitMs: STORE_WAIT_MS,
      ...(signal === undefined ? {} : { signal }),
      onAway(error) {
        if (error === undefined) trouble.clear(STORE);
        else trouble.say(STORE, error);
      },
      onTaken: lost.resolve,
    }),
  );
  const store = watchStore(opening, trouble);
  opened.defer(() => store.stopWatching());
  const files = opened.use(await openLogFiles(layout.logs, { clock, log }));
  await importJoins(store, layout.joins, { clock, log });
  return { key, keyPem, certificate, store, files, lost: lost.promise, isGone: () => isGone };
}

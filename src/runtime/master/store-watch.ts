import { BbxError } from '../../base/error.ts';
import { getMeta, setMeta } from '../../store/meta.ts';
import type { Store } from '../../store/store.ts';
import { STORE, type TroubleList } from './trouble.ts';

/** Trouble that a full or failing disk makes for every write, and which is over when one succeeds. */
const OF_THE_DISK: readonly string[] = ['BBX-STO-FULL', 'BBX-STO-IO'];
/** How often a store that could not be written is tried: so soon status says that there is room again, though nobody else writes. */
const TRY_MS = 2_000;

/**
 * The store with everybody's failed writes told as trouble, whoever tried: a full disk is seen by what people ask for before a build
 * meets it. While it lasts a write of its own finds out that it is over.
 */
export function watchStore(
  store: Store,
  trouble: TroubleList,
  tryMs = TRY_MS,
): Store & { stopWatching(): void } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const ended = () => {
    if (OF_THE_DISK.includes(trouble.get(STORE)?.code ?? '')) trouble.clear(STORE);
  };
  const failed = (error: unknown) => {
    if (!(error instanceof BbxError) || !OF_THE_DISK.includes(error.code) || stopped) return;
    trouble.say(STORE, error);
    timer ??= setTimeout(() => {
      timer = undefined;
      void write(async (tx) => setMeta(tx, 'epoch', (await getMeta(tx, 'epoch')) ?? '')).catch(
        () => undefined,
      );
    }, tryMs).unref();
  };
  const write: Store['write'] = async (act) => {
    try {
      const value = await store.write(act);
      ended();
      return value;
    } catch (error) {
      failed(error);
      throw error;
    }
  };

  return Object.assign(Object.create(store) as Store, {
    write,
    stopWatching() {
      stopped = true;
      clearTimeout(timer);
    },
  });
}

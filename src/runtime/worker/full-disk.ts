import { sleep } from '../../base/abort.ts';
import type { FullDisk } from './spool-file.ts';

/** How long until a write is tried again on a full disk. */
const RETRY_MS = 1_000;
/** When nobody has waited for so long, nobody waits any more: who gives up a wait does not say that there is room. */
const LAPSE_MS = 3 * RETRY_MS;

/** A disk that may be full: `tell` hears it with the error when somebody waits for room, and undefined when nobody does. `stopped` ends all waits. */
export function createFullDisk(stopped: AbortSignal, tell: (error: Error | undefined) => void): FullDisk {
  let isFull = false;
  let lapse: NodeJS.Timeout | undefined;
  const over = () => {
    clearTimeout(lapse);
    if (!isFull) return;
    isFull = false;
    tell(undefined);
  };
  return {
    async wait(error, gone) {
      clearTimeout(lapse);
      lapse = setTimeout(over, LAPSE_MS).unref();
      if (!isFull) {
        isFull = true;
        tell(error);
      }
      await sleep(RETRY_MS, gone === undefined ? stopped : AbortSignal.any([stopped, gone]));
    },
    over,
  };
}

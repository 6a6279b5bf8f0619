import type { Log } from '../../base/log.ts';
import type { Builds } from './builds.ts';
import type { Dispatcher } from './dispatch.ts';
import type { Farm } from './events.ts';

/** With `cancel`, how long running builds may take to end. */
const CANCEL_MS = 8_000;

export interface StopOptions {
  /** Nothing new starts, and running builds are waited for. */
  drain?: boolean;
  /** Running builds are cancelled first. */
  cancel?: boolean;
}

/**
 * How a master ends: what becomes of running builds, then `close`, once. A further call without `drain` cuts a drain short, and may ask for
 * `cancel`; every call gives the one end.
 */
export function createStop(parts: {
  farm: Farm;
  builds: Builds;
  dispatcher: Dispatcher;
  log: Log;
  close: () => Promise<void>;
}): (options?: StopOptions) => Promise<void> {
  const { farm, builds, dispatcher, log, close } = parts;
  let hurry = Promise.withResolvers<void>();
  let ending: Promise<void> | undefined;
  let cancelling = false;

  const idle = async () => {
    while (builds.running.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const unlisten = farm.listen(() => resolve());
      await promise.finally(unlisten);
      // A listener hears of an end before the build has left the list.
      await new Promise((turn) => setImmediate(turn));
    }
  };
  const drained = async () => {
    if (builds.running.size > 0) log.info('Draining: waiting for builds', { builds: builds.running.size });
    await Promise.race([idle(), hurry.promise]);
  };
  const cancelled = async () => {
    await Promise.all(builds.running.all().map(({ buildid }) => builds.cancel(buildid, 'the master stops')));
    const limit = setTimeout(() => hurry.resolve(), CANCEL_MS);
    await Promise.race([idle(), hurry.promise]);
    clearTimeout(limit);
  };

  return ({ drain = false, cancel = false } = {}) => {
    dispatcher.drain();
    cancelling ||= cancel;
    if (!drain) hurry.resolve();
    ending ??= (async () => {
      if (drain) await drained();
      hurry = Promise.withResolvers();
      if (cancelling) await cancelled();
      await close();
    })();
    return ending;
  };
}

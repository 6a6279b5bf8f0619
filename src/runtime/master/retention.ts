import { sleep } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { MasterConfig } from '../../config/master-config.ts';
import type { LogFiles } from '../../store/log-files.ts';
import { prune } from '../../store/retention.ts';
import type { Store } from '../../store/store.ts';
import { oneLine } from './trouble.ts';

/** First a while after the start, when workers are back and builds adopted. */
const FIRST_MS = 60_000;
/** Ages are counted in days: an hour more is nothing to them. */
const EVERY_MS = 3_600_000;
/** Readers of events that were away for longer begin anew. */
const EVENTS_MS = 7 * 86_400_000;
/** A build that was hurt by its link is looked at within days. */
const LINKS_MS = 30 * 86_400_000;

/** Who asks why something was never built asks soon; changes of kept builds stay with them. */
const UNBUILT_MS = 30 * 86_400_000;

/** Frees what the configuration does not want kept, every hour. */
export function runRetention(options: {
  store: Store;
  files: LogFiles;
  config: () => MasterConfig;
  clock: Clock;
  log: Log;
}): { stop(): Promise<void> } {
  const { store, files, config, clock, log } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = (async () => {
    for (let waitMs = FIRST_MS; ; waitMs = EVERY_MS) {
      await sleep(waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const limits = {
          ...config().retention,
          eventsMs: EVENTS_MS,
          linksMs: LINKS_MS,
          unbuiltMs: UNBUILT_MS,
        };
        const pruned = await prune(store, files, limits, clock.wall(), signal);
        if (pruned.builds + pruned.logs > 0) log.info('Old builds and logs removed', { ...pruned });
      } catch (error) {
        if (!signal.aborted) log.error('Old builds and logs could not be removed', { error: oneLine(error) });
      }
    }
  })();
  return {
    async stop() {
      stopping.abort(new Error('the master stops'));
      await running;
    },
  };
}

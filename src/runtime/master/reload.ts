import { BbxError } from '../../base/error.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { difference, type Difference } from '../../config/diff.ts';
import type { MasterConfig } from '../../config/master-config.ts';
import { syncBuilders } from '../../store/builders.ts';
import { forgetSchedulers } from '../../store/scheduler-state.ts';
import type { Farm } from './events.ts';
import { oneLine } from './trouble.ts';

/** The configuration at work. */
export interface LiveConfig {
  readonly current: MasterConfig;
  readonly loadedAt: number;
  /** Why the newest try to load it failed; null: it is at work. */
  readonly error: string | null;
  /** Keys that were changed and count only after a restart. */
  readonly restart: readonly string[];
  /** Loads, checks and applies: whole or not at all, running builds untouched. One at a time. Throws what is wrong with the file. */
  apply(): Promise<{ changed: boolean; changes: string[] }>;
  /** What `apply` would change now. Throws what is wrong with the file. */
  plan(): Promise<Difference>;
}

/** Builders and schedulers of the store are made those of the configuration. */
export async function adoptConfig(
  farm: Farm,
  config: MasterConfig,
  changes: string[] | undefined,
): Promise<void> {
  await farm.change(async (tx, emit) => {
    await syncBuilders(tx, Object.keys(config.builders));
    await forgetSchedulers(tx, Object.keys(config.schedulers));
    if (changes !== undefined) emit({ type: 'config.applied', changes });
  });
}

/** The configuration that counts now, and how another takes its place. */
export function createLiveConfig(options: {
  farm: Farm;
  first: MasterConfig;
  load: () => Promise<MasterConfig>;
  clock: Clock;
  log: Log;
  /** The rows are those of the new configuration; what runs by it is told. */
  onApplied: () => Promise<void>;
}): LiveConfig {
  const { farm, first, load, clock, log, onApplied } = options;
  let current = first;
  let loadedAt = clock.wall();
  let error: string | null = null;
  let restart: string[] = [];
  let applying: Promise<unknown> = Promise.resolve();

  async function apply(): Promise<{ changed: boolean; changes: string[] }> {
    let fresh: MasterConfig;
    try {
      fresh = await load();
    } catch (cause) {
      error = oneLine(cause);
      log.error(`The configuration was not applied: ${error}`, {
        ...(cause instanceof BbxError ? { code: cause.code } : {}),
        next: 'the old one stays at work',
      });
      throw cause;
    }
    const found = difference(current, fresh);
    if (found.changes.length > 0) {
      await adoptConfig(farm, fresh, found.changes);
      current = fresh;
      restart = [...new Set([...restart, ...found.restart])];
      await onApplied();
      log.info('Configuration applied', { changes: found.changes });
    }
    loadedAt = clock.wall();
    error = null;
    return { changed: found.changes.length > 0, changes: found.changes };
  }

  return {
    plan: async () => difference(current, await load()),
    get current() {
      return current;
    },
    get loadedAt() {
      return loadedAt;
    },
    get error() {
      return error;
    },
    get restart() {
      return restart;
    },
    apply() {
      const next = applying.then(apply);
      applying = next.catch(() => undefined);
      return next;
    },
  };
}

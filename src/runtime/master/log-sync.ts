import type { Clock } from '../../base/clock.ts';
import { BbxError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import { LIMITS } from '../../protocol/bbx/limits.ts';
import { setLogSizes } from '../../store/logs.ts';
import type { Store } from '../../store/store.ts';
import type { LogDisk } from './log-disk.ts';
import type { OpenLog } from './running.ts';
import { oneLine } from './trouble.ts';

/** Written bytes of one log that are synced at once; a quarter of its credit, so that acknowledgements come in time. */
const SYNC_BYTES = LIMITS.creditBytes / 4;
/** How often the sizes of growing logs are written to their rows: lists show them, nothing depends on them. */
const ROW_EVERY_MS = 2_000;

/** What is written of growing logs, on its way to what survives a power failure, and back to the workers as acknowledgements. */
export interface LogSync {
  /** `log.written` has grown, or came again. Synced soon, with what others wrote; at once when its sender's credit runs out. */
  add(log: OpenLog): void;
  /** Resolves when everything that was added before is synced and acknowledged, or was found not to be. */
  flush(): Promise<void>;
  /** The log is closed, which made it durable. */
  forget(log: OpenLog): void;
  /** Syncs and acknowledges what was added, for the last time. */
  stop(): Promise<void>;
}

/** Syncs growing logs together. */
export function createLogSync(options: {
  disk: LogDisk;
  store: Store;
  clock: Clock;
  log: Log;
  /** What of a log could not be made durable is not there any more: it is as long as `stored` again. */
  onLost: (log: OpenLog, error: Error) => void;
}): LogSync {
  const { disk, store, clock, log: say, onLost } = options;
  const dirty = new Set<OpenLog>();
  /** Those whose last flush has failed: that others can be written says nothing of the disk meanwhile. */
  const unflushed = new Set<OpenLog>();
  const rowsDue = new Map<OpenLog, number>();
  let timer: NodeJS.Timeout | undefined;
  let syncing: Promise<void> | undefined;
  let writing: Promise<void> | undefined;
  let rowsAt = clock.monotonic();
  let stopped = false;

  function complain(error: unknown): void {
    if (!stopped) say.error('Log files could not be synced', { error: oneLine(error) });
  }

  function syncSoon(): void {
    if (timer !== undefined || dirty.size === 0 || stopped) return;
    timer = setTimeout(() => {
      timer = undefined;
      void sync();
    }, LIMITS.acknowledgeMs / 2);
  }

  /** One fdatasync for everything that was written; who comes meanwhile is in the next. */
  function sync(): Promise<void> {
    const once = async () => {
      try {
        const batch = [...dirty].filter(({ complete }) => !complete);
        dirty.clear();
        if (batch.length === 0) return;
        const sizes = await disk.sync(batch.map(({ logid }) => logid!));
        for (const log of batch) {
          const size = sizes.get(log.logid!) ?? log.stored;
          if (typeof size === 'number') acknowledge(log, size);
          // One that ends meanwhile finds out by itself what it has lost, and one that is closed is never flushed again.
          else if (!log.complete) {
            unflushed.add(log);
            // Also what was written meanwhile: its worker sends it again.
            dirty.delete(log);
            onLost(log, size);
          }
        }
        disk.stuck(unflushed, unflushed.size > 0);
        // Not waited for: a late store must not hold up acknowledgements.
        writing ??= writeRows()
          .catch((error: unknown) => complain(error))
          .finally(() => (writing = undefined));
      } catch (error) {
        complain(error);
      }
    };
    // With nothing to do `once` is over before it is noted here: its end must come afterwards, or no sync would ever run again.
    syncing ??= once().finally(() => {
      syncing = undefined;
      syncSoon();
    });
    return syncing;
  }

  async function flush(): Promise<void> {
    // What came after a sync had begun is not in it.
    await syncing;
    await sync();
  }

  function acknowledge(log: OpenLog, size: number): void {
    if (size > log.stored) {
      unflushed.delete(log);
      log.losses = 0;
      log.stored = size;
      rowsDue.set(log, size);
    }
    // Also bytes that came again: the session that brought them gets its credit by nothing else.
    const { lease, session, ended } = log.build;
    if (!ended) session?.acknowledge(lease, { logs: [{ step: log.step, log: log.name, bytes: log.stored }] });
  }

  async function writeRows(): Promise<void> {
    if (rowsDue.size === 0 || clock.monotonic() - rowsAt < ROW_EVERY_MS) return;
    rowsAt = clock.monotonic();
    const due = [...rowsDue];
    rowsDue.clear();
    try {
      await store.write((tx) =>
        setLogSizes(
          tx,
          due.map(([log, size]) => [log.logid!, size]),
        ),
      );
    } catch (error) {
      if (!(error instanceof BbxError && error.retryable)) throw error;
      // The store's trouble is told by others, and what is not newer by then is written later.
      for (const [log, size] of due) if (!log.complete && !rowsDue.has(log)) rowsDue.set(log, size);
    }
  }

  return {
    add(log) {
      dirty.add(log);
      // A fast log does not wait for company: its sender has little credit left.
      if (log.written - log.stored >= SYNC_BYTES) void sync();
      syncSoon();
    },
    flush,
    forget(log) {
      dirty.delete(log);
      rowsDue.delete(log);
      if (unflushed.delete(log)) disk.stuck(unflushed, unflushed.size > 0);
    },
    async stop() {
      await flush();
      stopped = true;
      clearTimeout(timer);
      await syncing;
      await writing;
    },
  };
}

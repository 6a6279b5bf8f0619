import { sleep } from '../../base/abort.ts';
import { sentences } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import type { LogFiles } from '../../store/log-files.ts';
import { logById } from '../../store/logs.ts';
import type { Store } from '../../store/store.ts';

/**
 * For each millisecond of compressing so many go to others: a quarter of a processor keeps up with some MB/s of logs all day long. Where more come, until
 * `MOST_WAITING` wait, others get no share: what waits is held in memory, and takes ten times its room on the disk.
 */
const SHARE_OF_OTHERS = 3;

/**
 * Compressing begins when for so long no log has come to its end, or when so many wait: a file, its sync and its name
 * are not to be paid while builds queue.
 */
const QUIET_MS = 1_000;
const MOST_WAITING = 1_000;

/** Compresses complete logs, one after the other, when nobody waits for it. */
export interface LogPacker {
  add(logid: number): void;
  /** Adds what a former master has not come to. */
  addFormer(): void;
  /** What is under way is given up; the next start finds it. */
  stop(): Promise<void>;
}

export function createLogPacker(options: { files: LogFiles; store: Store; log: Log }): LogPacker {
  const { files, store, log } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const waiting = new Set<number>();
  let newestAt = 0;
  let working: Promise<void> | undefined;
  let looking: Promise<void> | undefined;

  const rest = (tookMs: number) =>
    waiting.size < MOST_WAITING ? sleep(tookMs * SHARE_OF_OTHERS, signal) : undefined;

  async function pack(logid: number): Promise<void> {
    try {
      await files.finish(logid, {}, rest);
    } catch (error) {
      // A full disk, mostly; the log is whole as it is, and compressed after the next start.
      if (!signal.aborted) {
        log.warn('A log stays uncompressed', { logid, error: sentences(error).join(': ') });
      }
    }
  }

  async function work(): Promise<void> {
    while (waiting.size < MOST_WAITING && performance.now() - newestAt < QUIET_MS) {
      await sleep(QUIET_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
    }
    for (const logid of waiting) {
      if (signal.aborted) return;
      waiting.delete(logid);
      await pack(logid);
    }
  }

  function add(logid: number): void {
    if (signal.aborted) return;
    waiting.add(logid);
    newestAt = performance.now();
    working ??= work().finally(() => {
      working = undefined;
      for (const left of waiting) return add(left);
    });
  }

  async function look(): Promise<void> {
    for await (const logid of files.uncompressed()) {
      if (signal.aborted) return;
      const row = await store.read((db) => logById(db, logid));
      if (row?.complete === true && !row.pruned) add(logid);
    }
  }

  return {
    add,
    addFormer() {
      looking ??= look().catch((error: unknown) => {
        if (!signal.aborted) {
          log.warn('Logs that wait to be compressed could not be looked for', {
            error: sentences(error).join(': '),
          });
        }
      });
    },
    async stop() {
      stopping.abort(new Error('the master stops'));
      await Promise.all([working, looking]);
    },
  };
}

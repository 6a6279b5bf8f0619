import { sleep } from '../../base/abort.ts';
import type { Log } from '../../base/log.ts';
import type { LogFiles } from '../../store/log-files.ts';
import { completeLog, leftLogs } from '../../store/logs.ts';
import type { Store } from '../../store/store.ts';
import { endOf } from './log-ending.ts';
import type { LogIntake } from './logs.ts';
import { nameOf, type OpenLog, type Running } from './running.ts';
import { oneLine } from './trouble.ts';

/** How long the master's end waits for logs of ended builds to be closed. */
const STOP_MS = 1_000;

/** Closes logs of builds that ended without their workers' last words, while others go on: what is there is all there will be. */
export interface LeftLogs {
  /** Those of a build that has just ended. */
  close(build: Running): void;
  /** Those that a former master left open although their builds had ended: it was killed between the two. Then what it left is compressed. */
  closeFormer(): void;
  /** What is open after a moment stays open, and is closed at the next start. */
  stop(): Promise<void>;
}

/** Closes what is left open, in the background. */
export function createLeftLogs(options: {
  store: Store;
  files: LogFiles;
  logs: LogIntake;
  log: Log;
}): LeftLogs {
  const { store, files, logs, log: say } = options;
  const closing = new Set<Promise<void>>();
  const stopping = new AbortController();
  const { signal } = stopping;

  function inBackground(failure: string, about: Readonly<Record<string, unknown>>, act: Promise<void>): void {
    const done = act.catch((error: unknown) => {
      if (!signal.aborted) say.error(failure, { ...about, error: oneLine(error) });
    });
    closing.add(done);
    void done.finally(() => closing.delete(done));
  }

  async function closeAll(left: readonly OpenLog[]): Promise<void> {
    for (const open of left) {
      const end = await logs.finish(open, {});
      await store.write((tx) => completeLog(tx, open.logid!, end));
      open.recorded = true;
      logs.kept(open);
      logs.wake(open.logid!);
    }
  }

  async function closeFormer(): Promise<void> {
    for (const logid of await store.read((db) => leftLogs(db))) {
      if (signal.aborted) return;
      try {
        const end = endOf(await files.seal(logid), {});
        await store.write((tx) => completeLog(tx, logid, end));
        logs.wake(logid);
      } catch (error) {
        // The others are worth closing; this one is tried again at the next start.
        if (!signal.aborted)
          say.error('A log of an ended build stays open', { logid, error: oneLine(error) });
      }
    }
  }

  return {
    close(build) {
      const left = [...build.logs.values()].filter(({ recorded, logid }) => !recorded && logid !== undefined);
      if (left.length === 0) return;
      inBackground('Logs of an ended build stay open', { build: nameOf(build) }, closeAll(left));
    },
    closeFormer() {
      const done = closeFormer().then(() => logs.packFormer());
      inBackground('Logs of ended builds could not be closed', {}, done);
    },
    async stop() {
      stopping.abort(new Error('the master stops'));
      const limit = new AbortController();
      // On a full disk it would take for ever.
      await Promise.race([Promise.allSettled(closing), sleep(STOP_MS, limit.signal).catch(() => undefined)]);
      limit.abort();
    },
  };
}

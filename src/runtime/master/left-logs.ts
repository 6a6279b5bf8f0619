import type { Log } from '../../base/log.ts';
import type { LogFiles } from '../../store/log-files.ts';
import { completeLog, leftLogs } from '../../store/logs.ts';
import type { Store } from '../../store/store.ts';
import { endOf } from './log-ending.ts';
import type { LogIntake } from './logs.ts';
import type { OpenLog } from './running.ts';
import { oneLine } from './trouble.ts';

/** Closes logs of a build that ended without its worker's last words: what is there is all there will be. */
export async function closeLeft(
  left: readonly OpenLog[],
  { store, logs }: { store: Store; logs: LogIntake },
): Promise<void> {
  for (const open of left) {
    const end = await logs.finish(open, {});
    await store.write((tx) => completeLog(tx, open.logid!, end));
    open.recorded = true;
    logs.kept(open);
    logs.wake(open.logid!);
  }
}

/** Closes logs that a former master left open although their builds had ended: it was killed between the two. */
export async function closeFormer(
  { store, files, logs, log: say }: { store: Store; files: LogFiles; logs: LogIntake; log: Log },
  signal: AbortSignal,
): Promise<void> {
  for (const logid of await store.read((db) => leftLogs(db))) {
    if (signal.aborted) return;
    try {
      const end = endOf(await files.seal(logid), {});
      await store.write((tx) => completeLog(tx, logid, end));
      logs.wake(logid);
    } catch (error) {
      // The others are worth closing; this one is tried again at the next start.
      if (!signal.aborted) say.error('A log of an ended build stays open', { logid, error: oneLine(error) });
    }
  }
}

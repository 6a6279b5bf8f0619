import type { ProgressEvent } from '../../build/progress.ts';
import type { LogIntake } from './logs.ts';
import type { Item } from './record-news.ts';
import type { ClosedLog } from './record-rows.ts';
import { logKey, type Running } from './running.ts';

type StepFinished = ProgressEvent & { type: 'stepFinished' };

/** The logs of a finished step, on their way to what the row of each will say. */
export interface StepLogs {
  /**
   * What is to be written before the end of the step: a log without a byte was never opened, and gets its row like the others. `closed`: all of its
   * logs are small, and nothing is waited for; else they need `close`.
   */
  begin(build: Running, event: StepFinished): { rows: Item[]; closed: ClosedLog[] | undefined };
  /** Resolves when they are on the disk and compared, small ones aside. Their rows must be written. Rejects as `LogIntake.finish`. */
  close(build: Running, event: StepFinished): Promise<ClosedLog[]>;
}

/** Closes the logs of steps, each by the word of its worker. */
export function createStepLogs(logs: LogIntake): StepLogs {
  return {
    begin(build, event) {
      const rows: Item[] = [];
      const closed: ClosedLog[] = [];
      for (const told of event.logs) {
        const key = logKey(event.step, told.name);
        let log = build.logs.get(key);
        if (log === undefined) {
          build.logs.set(key, (log = logs.open(build, event.step, told.name)));
          rows.push({ kind: 'log', log });
        }
        const end = logs.finishSmall(log, expectedOf(told));
        if (end !== undefined) closed.push({ log, ...end, cut: told.cut });
      }
      return { rows, closed: closed.length === event.logs.length ? closed : undefined };
    },
    close(build, event) {
      return Promise.all(
        event.logs.map(async (told) => {
          const log = build.logs.get(logKey(event.step, told.name))!;
          return { log, ...(await logs.finish(log, expectedOf(told))), cut: told.cut };
        }),
      );
    },
  };
}

/** Its hash is empty where a worker that was started anew does not have all of the log any more. */
function expectedOf({ bytes, sha256 }: StepFinished['logs'][number]): { bytes: number; sha256?: string } {
  return sha256 === '' ? { bytes } : { bytes, sha256 };
}

import type { StatusObject } from '../../api/objects.ts';
import { BbxError, sentences } from '../../base/error.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';

export type TroubleObject = StatusObject['trouble'][number];

/** What does not work now, by subject; the newest word on each. */
export interface TroubleList {
  /**
   * Says that something does not work. `since` stays that of the first time, and only a new message is logged. What happened once, and
   * does not end by itself, is shown for `forMs`.
   */
  say(subject: string, error: BbxError, options?: { forMs?: number }): void;
  /** It works again, or is gone. */
  clear(subject: string): void;
  list(): TroubleObject[];
  get(subject: string): TroubleObject | undefined;
}

/** The subject of trouble with the database. */
export const STORE = 'store';
/** The subject of trouble with the files of logs. */
export const LOG_FILES = 'log files';

/** Subjects that are kept at most: pollers, workers and the disk of a big farm; beyond it the oldest goes. */
const MOST_SUBJECTS = 1_000;

/** What goes wrong at this moment, each thing once; also told to the log when it begins and ends. */
export function createTroubleList({ clock, log }: { clock: Clock; log: Log }): TroubleList {
  const bySubject = new Map<string, TroubleObject>();
  /** Monotonic ms. */
  const shownUntil = new Map<string, number>();
  const forget = (subject: string): boolean => {
    shownUntil.delete(subject);
    return bySubject.delete(subject);
  };
  const forgetOld = () => {
    for (const [subject, until] of shownUntil) if (until <= clock.monotonic()) forget(subject);
  };
  return {
    say(subject, error, { forMs } = {}) {
      forgetOld();
      const before = bySubject.get(subject);
      if (forMs === undefined) shownUntil.delete(subject);
      else shownUntil.set(subject, clock.monotonic() + forMs);
      bySubject.set(subject, {
        subject,
        code: error.code,
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        since: before?.since ?? clock.wall(),
      });
      if (before?.message !== error.message) {
        log.warn(error.message, {
          code: error.code,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        });
      }
      if (bySubject.size > MOST_SUBJECTS) forget(bySubject.keys().next().value as string);
    },
    clear(subject) {
      if (forget(subject)) log.info('Works again', { subject });
    },
    list() {
      forgetOld();
      return [...bySubject.values()];
    },
    get(subject) {
      forgetOld();
      return bySubject.get(subject);
    },
  };
}

/** All that is known of an error in one line: its sentence and those of its causes. */
export function oneLine(error: unknown): string {
  return sentences(error).join('; ');
}

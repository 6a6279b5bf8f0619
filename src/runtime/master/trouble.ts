import type { StatusObject } from '../../api/objects.ts';
import { BbxError, sentences } from '../../base/error.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';

export type TroubleObject = StatusObject['trouble'][number];

/** What does not work now, by subject; the newest word on each. */
export interface TroubleList {
  /** Says that something does not work. `since` stays that of the first time, and only a new message is logged. */
  say(subject: string, error: BbxError): void;
  /** It works again, or is gone. */
  clear(subject: string): void;
  list(): TroubleObject[];
  get(subject: string): TroubleObject | undefined;
}

/** Subjects that are kept at most: pollers, workers and the disk of a big farm; beyond it the oldest goes. */
const MOST_SUBJECTS = 1_000;

export function createTroubleList({ clock, log }: { clock: Clock; log: Log }): TroubleList {
  const bySubject = new Map<string, TroubleObject>();
  return {
    say(subject, error) {
      const before = bySubject.get(subject);
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
      if (bySubject.size > MOST_SUBJECTS) bySubject.delete(bySubject.keys().next().value as string);
    },
    clear(subject) {
      const before = bySubject.get(subject);
      if (before === undefined) return;
      bySubject.delete(subject);
      log.info('Works again', { subject });
    },
    list: () => [...bySubject.values()],
    get: (subject) => bySubject.get(subject),
  };
}

/** All that is known of an error in one line: its sentence and those of its causes. */
export function oneLine(error: unknown): string {
  return sentences(error).join('; ');
}

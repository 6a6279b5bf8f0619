import type { ProgressEvent } from './progress.ts';

type StepFinished = ProgressEvent & { type: 'stepFinished' };

/** How far a build's walk had come, by its journal. */
export interface Past {
  /** The walk had begun. */
  begun: boolean;
  finished: ReadonlyMap<number, StepFinished>;
  /** The step that had begun and not ended. */
  open: number | undefined;
}

/** Reads how far a walk had come from its events, all of them, in order. */
export function readPast(events: readonly ProgressEvent[]): Past {
  const finished = new Map<number, StepFinished>();
  let open: number | undefined;
  for (const event of events) {
    if (event.type === 'stepStarted') open = event.step;
    if (event.type === 'stepFinished') {
      finished.set(event.step, event);
      open = undefined;
    }
  }
  return { begun: events.length > 0, finished, open };
}

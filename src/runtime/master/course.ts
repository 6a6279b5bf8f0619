import type { ProgressEvent } from '../../build/progress.ts';

/** How far a build has come by what its worker said, so that what cannot be is met at the door and not in the rows. */
export interface Course {
  /** The newest event that was looked at; after a lost link some come again. */
  sequence: number;
  readonly steps: Map<number, 'runs' | 'ended'>;
}

/** The course of a build whose events up to `sequence` are stored, with these steps. */
export function courseOf(
  sequence: number,
  steps: readonly { number: number; complete_at: number | null }[],
): Course {
  const states = steps.map(
    ({ number, complete_at }) => [number, complete_at === null ? 'runs' : 'ended'] as const,
  );
  return { sequence, steps: new Map(states) };
}

/** Goes on by one event. Gives in words what is wrong with it, as the end of "it sent …"; then the course stays where it is. */
export function goOn(
  course: Course,
  sequence: number,
  event: ProgressEvent,
  stepCount: number,
): string | undefined {
  if (sequence <= course.sequence) return undefined;
  const { steps } = course;
  switch (event.type) {
    case 'buildStarted':
      if (sequence !== 1) return 'the beginning of a build that has begun';
      break;
    case 'stepStarted':
      if (event.step >= stepCount) return `step ${event.step} of a build with ${stepCount} steps`;
      if (steps.has(event.step)) return `step ${event.step} a second time`;
      steps.set(event.step, 'runs');
      break;
    case 'stepFinished':
      if (steps.get(event.step) !== 'runs') return `the end of step ${event.step}, which does not run`;
      steps.set(event.step, 'ended');
      break;
    case 'buildFinished':
      break;
  }
  course.sequence = sequence;
  return undefined;
}

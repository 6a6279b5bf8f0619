import type { StepPlan } from './plan.ts';
import { worst, type Result } from './results.ts';

type Flags = Pick<
  StepPlan,
  'haltOnFailure' | 'flunkOnFailure' | 'flunkOnWarnings' | 'warnOnFailure' | 'warnOnWarnings'
>;

/** A build's result so far, and whether only steps with `alwaysRun` may follow. */
export interface Outcome {
  result: Result;
  terminate: boolean;
}

/**
 * What a step's end means for its build, exactly as in Buildbot: a failure counts as failure with flunkOnFailure, else as warnings with
 * warnOnFailure, else as success; haltOnFailure ends the build even where the failure does not count. An exception, a retry or a
 * cancelled step always ends it.
 */
export function foldStep(step: Flags, stepResult: Result, soFar: Outcome): Outcome {
  const counted = countedAs(step, stepResult);
  const ends =
    stepResult === 'failure'
      ? step.haltOnFailure
      : stepResult === 'exception' || stepResult === 'retry' || stepResult === 'cancelled';
  return { result: worst(soFar.result, counted), terminate: soFar.terminate || ends };
}

function countedAs(step: Flags, stepResult: Result): Result {
  if (stepResult === 'failure') {
    if (step.flunkOnFailure) return 'failure';
    return step.warnOnFailure ? 'warnings' : 'success';
  }
  if (stepResult === 'warnings') {
    if (step.flunkOnWarnings) return 'failure';
    return step.warnOnWarnings ? 'warnings' : 'success';
  }
  return stepResult;
}

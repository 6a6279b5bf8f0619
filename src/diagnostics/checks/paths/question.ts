import { TARGET_TOPICS, type CheckContext, type JudgeContext } from '../../check.ts';
import type { Attempt, PathFacts } from '../../facts/paths.ts';
import { leavesOut } from '../../intent.ts';
import type { TargetSubject } from '../../subject.ts';

export const topics = ['ipv6', ...TARGET_TOPICS] as const;

/** Connects to each address. */
export const gather = (context: CheckContext, target: TargetSubject): Promise<PathFacts> =>
  context.probes.path(target);

/** Why no path of this target is looked at, or undefined. */
export function noPath(target: TargetSubject): string | undefined {
  if (target.port === undefined) return 'only the name is in question';
  return target.stopped;
}

/** Families that are not meant do not count, unless there is nothing else. */
export function meant(attempts: readonly Attempt[], context: JudgeContext): readonly Attempt[] {
  const kept = attempts.filter((attempt) => !leavesOut(context.intent, attempt.family));
  return kept.length > 0 ? kept : attempts;
}

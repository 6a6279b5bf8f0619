import { matchesPattern } from '../../config/branch-pattern.ts';

/** Whether `text` fits one of the patterns; no patterns at all means everything fits. */
export function matchesAny(patterns: readonly string[] | undefined, text: string): boolean {
  return (
    patterns === undefined ||
    patterns.length === 0 ||
    patterns.some((pattern) => matchesPattern(pattern, text))
  );
}

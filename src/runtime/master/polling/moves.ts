import { matchesAny } from '../../../base/pattern.ts';

/** What a look at a repository found different from the last one. */
export interface Moves {
  /** Branches whose head is another; `from` null: the branch is new. */
  moved: { branch: string; from: string | null; to: string }[];
  /** Where each branch that is watched stands now. */
  heads: Map<string, string>;
}

const BRANCHES = 'refs/heads/';

/**
 * Compares what a repository has with the last look. The first look at a repository makes no change (as Buildbot: building starts with what
 * is pushed from now on); a branch that appears later is a change, its newest commit. A branch that is gone is forgotten.
 */
export function findMoves(
  patterns: readonly string[],
  before: ReadonlyMap<string, string> | undefined,
  refs: ReadonlyMap<string, string>,
): Moves {
  const heads = new Map<string, string>();
  const moved: Moves['moved'] = [];
  for (const [ref, revision] of refs) {
    if (!ref.startsWith(BRANCHES)) continue;
    const branch = ref.slice(BRANCHES.length);
    if (!matchesAny(patterns, branch)) continue;
    heads.set(branch, revision);
    const last = before?.get(branch);
    if (before !== undefined && last !== revision) moved.push({ branch, from: last ?? null, to: revision });
  }
  return { moved, heads };
}

import { matchesAny } from '../../../base/pattern.ts';

/** A `branch` scheduler as its decisions need it. */
export interface BranchRule {
  name: string;
  /** Undefined: changes of every repository. */
  repository: string | undefined;
  /** Patterns with `*`; empty: every branch. */
  branches: readonly string[];
  /** How long a branch must be quiet before it is built; 0: every change is built at once, by itself. */
  treeStableTimerMs: number;
}

export interface SeenChange {
  changeid: number;
  repository: string;
  branch: string;
  revision: string;
  receivedAt: number;
}

/** Why a change does not concern a scheduler, as a part of a sentence; undefined when it does. */
export function branchRefusal(
  rule: Pick<BranchRule, 'repository' | 'branches'>,
  change: { repository: string; branch: string },
): string | undefined {
  if (rule.repository !== undefined && rule.repository !== change.repository) {
    return `it builds repository "${rule.repository}", not "${change.repository}"`;
  }
  if (!matchesAny(rule.branches, change.branch)) {
    return `branch "${change.branch}" fits none of its branches (${rule.branches.join(', ')})`;
  }
  return undefined;
}

/** Changes of one branch that are to be built together: the last one's revision, in answer to all. */
export interface StableTree {
  repository: string;
  branch: string;
  revision: string;
  changes: number[];
}

/**
 * What of the changes that wait is due at `now`, and when to ask again (epoch seconds; null: nothing waits). Each branch of each
 * repository has its own timer, and each push starts it anew. A wait is never longer than the timer itself, even when the clock was
 * set back since the change came.
 */
export function dueTrees(
  rule: Pick<BranchRule, 'treeStableTimerMs'>,
  waiting: readonly SeenChange[],
  now: number,
): { due: StableTree[]; nextAt: number | null } {
  const quiet = rule.treeStableTimerMs / 1_000;
  const due: StableTree[] = [];
  let nextAt: number | null = null;
  const inOrder = waiting.toSorted((a, b) => a.changeid - b.changeid);
  if (quiet === 0) return { due: inOrder.map((change) => tree([change])), nextAt };
  const byBranch = Map.groupBy(inOrder, ({ repository, branch }) => JSON.stringify([repository, branch]));
  for (const changes of byBranch.values()) {
    const newest = Math.max(...changes.map(({ receivedAt }) => Math.min(receivedAt, now)));
    const at = newest + quiet;
    if (at <= now) due.push(tree(changes));
    else nextAt = Math.min(nextAt ?? at, at);
  }
  return { due, nextAt };
}

function tree(changes: readonly SeenChange[]): StableTree {
  const last = changes.at(-1)!;
  return {
    repository: last.repository,
    branch: last.branch,
    revision: last.revision,
    changes: changes.map(({ changeid }) => changeid),
  };
}

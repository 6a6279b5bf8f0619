import { describe, expect, it } from 'vitest';
import {
  branchRefusal,
  dueTrees,
  type SeenChange,
} from '../../../../../src/runtime/master/schedulers/branch.ts';

const change = (changeid: number, receivedAt: number, branch = 'main', repository = 'app'): SeenChange => ({
  changeid,
  repository,
  branch,
  revision: `r${changeid}`,
  receivedAt,
});

describe('branchRefusal', () => {
  it.each([
    ['app', ['main'], 'app', 'main', undefined],
    ['app', [], 'app', 'anything', undefined],
    [undefined, ['main'], 'other', 'main', undefined],
    ['app', ['release/*'], 'app', 'release/1/2', undefined],
    ['app', ['*x*x*'], 'app', 'axbxc', undefined],
    ['app', ['main'], 'lib', 'main', 'it builds repository "app", not "lib"'],
    [
      'app',
      ['main', 'release/*'],
      'app',
      'mainly',
      'branch "mainly" fits none of its branches (main, release/*)',
    ],
  ])('of %s %j for %s %s is %s', (repository, branches, ofRepository, branch, expected) => {
    expect(branchRefusal({ repository, branches }, { repository: ofRepository, branch })).toBe(expected);
  });
});

describe('dueTrees', () => {
  it('waits from the last push on, and builds its revision in answer to all changes', () => {
    const waiting = [change(1, 100), change(3, 108), change(2, 104)];
    expect(dueTrees({ treeStableTimerMs: 10_000 }, waiting, 117)).toEqual({ due: [], nextAt: 118 });
    expect(dueTrees({ treeStableTimerMs: 10_000 }, waiting, 118)).toEqual({
      due: [{ repository: 'app', branch: 'main', revision: 'r3', changes: [1, 2, 3] }],
      nextAt: null,
    });
  });

  it('keeps a timer for each branch of each repository', () => {
    const waiting = [change(1, 100), change(2, 105, 'release/1'), change(3, 101, 'main', 'lib')];
    expect(dueTrees({ treeStableTimerMs: 10_000 }, waiting, 111)).toEqual({
      due: [
        { repository: 'app', branch: 'main', revision: 'r1', changes: [1] },
        { repository: 'lib', branch: 'main', revision: 'r3', changes: [3] },
      ],
      nextAt: 115,
    });
  });

  it('builds each change by itself without a timer', () => {
    const { due } = dueTrees({ treeStableTimerMs: 0 }, [change(2, 100), change(1, 100)], 100);
    expect(due.map(({ revision, changes }) => [revision, changes])).toEqual([
      ['r1', [1]],
      ['r2', [2]],
    ]);
  });

  it('never waits longer than its timer, also when the clock was set back', () => {
    expect(dueTrees({ treeStableTimerMs: 10_000 }, [change(1, 9_000)], 100).nextAt).toBe(110);
  });
});

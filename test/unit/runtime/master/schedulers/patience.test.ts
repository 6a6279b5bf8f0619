import { expect, it } from 'vitest';
import { dueTrees } from '../../../../../src/runtime/master/schedulers/branch.ts';
import { createPatience } from '../../../../../src/runtime/master/schedulers/patience.ts';

const rule = { treeStableTimerMs: 60_000 };

it.each([3_600, -3_600])(
  'a tree-stable timer of a minute takes a minute when the clock jumps by %s s',
  (by) => {
    let monotonic = 0;
    const patience = createPatience({ monotonic: () => monotonic });
    const waiting = [{ changeid: 1, received_at: 1_000, repository: 'r', branch: 'main', revision: 'a' }];
    let firedAfter: number | undefined;
    for (let second = 0; second < 300 && firedAfter === undefined; second += 1) {
      monotonic = second * 1_000;
      const now = 1_000 + second + (second >= 20 ? by : 0);
      const waits = patience.waits('s', waiting, now);
      const changes = waiting.map((row) => ({ ...row, receivedAt: now - waits.get(row.changeid)! }));
      if (dueTrees(rule, changes, now).due.length > 0) firedAfter = second;
    }
    expect(firedAfter).toBe(60);
  },
);

it('what came before the master’s start has waited as the clock says, and never less than nothing', () => {
  const patience = createPatience({ monotonic: () => 0 });
  const waits = patience.waits(
    's',
    [
      { changeid: 1, received_at: 900 },
      { changeid: 2, received_at: 5_000 },
    ],
    1_000,
  );
  expect([...waits]).toEqual([
    [1, 100],
    [2, 0],
  ]);
});

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Answers } from '../../../src/templates/answers.ts';
import { planTree, writeTree, type Tree } from '../../../src/templates/tree.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const treeOf = (invitation: string | null): Tree => ({
  role: 'worker',
  mode: 0o711,
  dirs: [],
  files: [
    { path: 'worker.yaml', content: 'name: w1\n', mode: 0o644, policy: 'replace' },
    ...(invitation === null
      ? []
      : [{ path: 'join', content: invitation, mode: 0o600, policy: 'refresh' as const }]),
  ],
});

describe('a join string in a tree', () => {
  it.each<{ title: string; first: string | null; again: string; used: boolean; action: string }>([
    { title: 'that was used stays gone', first: 'one', again: 'one', used: true, action: 'keep' },
    { title: 'that waits still stays', first: 'one', again: 'one', used: false, action: 'keep' },
    { title: 'that is new is written', first: 'one', again: 'two', used: true, action: 'create' },
    { title: 'that is new replaces', first: 'one', again: 'two', used: false, action: 'replace' },
    { title: 'is new where none was', first: null, again: 'one', used: false, action: 'create' },
  ])('$title', async ({ first, again, used, action }) => {
    await using temp = await tempDir();
    const dir = join(temp.path, 'w');
    const write = async (invitation: string | null) => {
      // As with the real ones: that there is a join string at all is an answer.
      const answers: Answers = invitation === null ? {} : { join: ['w1'] };
      const tree = treeOf(invitation);
      const plan = await planTree(dir, tree, answers, { force: true });
      await writeTree(plan, tree, answers);
      return plan;
    };
    await write(first);
    if (used) await rm(join(dir, 'join'));
    const plan = await write(again);
    expect(plan.steps.find(({ path }) => path === 'join')?.action).toBe(action);
    expect(plan.changed).toBe(action !== 'keep');
    if (action !== 'keep') expect(await readFile(join(dir, 'join'), 'utf8')).toBe(again);
    expect((await write(again)).changed).toBe(false);
  });
});

import { relative } from 'node:path';
import type { Answers } from '../templates/answers.ts';
import { planTree, writeTree, type Tree, type TreePlan } from '../templates/tree.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';

export interface CreateOptions {
  force?: boolean;
  dryRun?: boolean;
}

/** Plans and writes a directory, and answers `{dir, files, changed}`. `next` are the lines that say what to do now. */
export async function createTree(
  context: Context,
  work: { dir: string; tree: Tree; answers: Answers; next: readonly string[] },
  options: CreateOptions,
): Promise<void> {
  const { dir, tree, answers, next } = work;
  const plan = await planTree(dir, tree, answers, { force: options.force === true });
  if (options.dryRun !== true) await writeTree(plan, tree, answers);
  const files = tree.files.map(({ path }) => path);
  const result = {
    dir: plan.dir,
    files,
    changed: plan.changed,
    ...(options.dryRun === true ? { dryRun: true, steps: plan.steps } : {}),
  };
  answer(context, result, () => words(context, plan, tree, next, options));
}

function words(
  context: Context,
  plan: TreePlan,
  tree: Tree,
  next: readonly string[],
  options: CreateOptions,
): string {
  const shown = relative(context.cwd, plan.dir) || '.';
  const steps = plan.steps.map(({ path, action }) => `  ${action.padEnd(7)}  ${path}`);
  if (options.dryRun === true)
    return [
      `Would ${plan.changed ? 'write' : 'change nothing in'} ${shown} (nothing was written):`,
      ...steps,
    ].join('\n');
  if (!plan.changed) return `The ${tree.role} in ${shown} was made with the same answers; nothing changed.`;
  const verb = plan.differences.length > 0 ? 'Changed' : 'Made';
  return [`${verb} the ${tree.role} in ${shown}:`, ...steps, '', ...next].join('\n');
}

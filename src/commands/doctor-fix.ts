import type { ChangeObject } from '../api/doctor.ts';
import type { Examined } from '../diagnostics/examine.ts';
import { mendFile, planFiles, type FilePlan, type Mended } from '../diagnostics/mend.ts';
import type { Look } from './doctor-run.ts';
import { ask } from './terminal/ask.ts';
import type { Context } from './terminal/context.ts';

export interface Fixed {
  /** The state after it. */
  readonly examined: Examined;
  readonly changes: readonly ChangeObject[];
}

export interface FixOptions {
  /** Makes the changes without a question. */
  readonly yes: boolean;
  /** Shows the changes before the question. */
  show(examined: Examined, changes: readonly ChangeObject[]): void;
}

/**
 * `--fix`: looks, proposes the changes that are safe, makes them when the person agrees (or has agreed: `--yes`), looks again, and takes them
 * back when that is no better. Without a terminal and without `--yes` nothing is changed.
 */
export async function fix(context: Context, look: Look, options: FixOptions): Promise<Fixed> {
  const before = await look();
  const plans = await planFiles(before.proposals);
  const proposed = plans.map((plan) => changeOf(plan, 'proposed'));
  if (plans.length === 0) return { examined: before, changes: [] };
  if (!options.yes) {
    if (!context.interactive || context.json) return { examined: before, changes: proposed };
    options.show(before, proposed);
    const { yes = '' } = await ask(context, [{ name: 'yes', message: 'Make these changes? (yes or no)' }]);
    if (!/^y(es)?$/i.test(yes)) return { examined: before, changes: proposed };
  }
  const done: Mended[] = [];
  const undo = async () => {
    for (const one of done.toReversed()) await one.undo();
  };
  try {
    for (const plan of plans) done.push(await mendFile(plan));
    const after = await look();
    if (isBetter(before, after))
      return {
        examined: after,
        changes: plans.map((plan, index) => changeOf(plan, 'made', done[index]?.backup)),
      };
  } catch (error) {
    await undo();
    throw error;
  }
  await undo();
  return { examined: before, changes: plans.map((plan) => changeOf(plan, 'undone')) };
}

function changeOf(plan: FilePlan, state: ChangeObject['state'], backup?: string): ChangeObject {
  return { file: plan.shown, state, patch: plan.patch, ...(backup === undefined ? {} : { backup }) };
}

/** Less is wrong in the families of checks that the changes are about; what they let come to light elsewhere is no fault of theirs. */
function isBetter(before: Examined, after: Examined): boolean {
  const families = new Set(before.proposals.map(({ finding: { id } }) => id.split('-')[0]));
  const grave = ({ report }: Examined) =>
    report.findings.filter(
      ({ id, status }) => families.has(id.split('-')[0]) && (status === 'error' || status === 'warn'),
    ).length;
  return grave(after) < grave(before);
}

import { secretsOf } from '../../build/plan-secrets.ts';
import type { BuildPlan } from '../../build/plan.ts';
import type { LastEnd } from './keeper/last-end.ts';

/**
 * Why a build that a former process began cannot go on behind what is known of it, when its keeper is gone; undefined: it can. `last` undefined:
 * nothing of it ran, as far as its journal knows. `runs` names this run of the machine, and the one in which it was assigned (undefined: not noted).
 */
export function whyNoFurther(
  plan: BuildPlan,
  last: LastEnd | undefined,
  runs: { now: string; assignedIn: string | undefined },
): string | undefined {
  const left = plan.steps.slice(last === undefined ? 0 : last.step + 1);
  const at = last === undefined ? '' : `, at step "${plan.steps[last.step]?.name}"`;
  if (last?.end.ended === 'cancelled')
    return `the keeper of its commands ended them while no worker was there${at}`;
  if (left.length === 0) return undefined;
  if (secretsOf(plan).size > 0) return `its secrets went with the worker’s process and the keeper${at}`;
  // What earlier steps left running, or in a temporary directory, did not outlive that; and a journal is not synced, so an empty one says nothing then.
  const { now, assignedIn = now } = runs;
  return (last?.boot ?? assignedIn) === now ? undefined : `the machine was started again${at}`;
}

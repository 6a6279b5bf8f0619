import { secretsOf } from '../../build/plan-secrets.ts';
import type { BuildPlan } from '../../build/plan.ts';
import type { LastEnd } from './keeper/last-end.ts';

/**
 * Why a build that a former process began cannot go on behind what is known of it, when its keeper is gone; undefined: it can. `last` undefined:
 * nothing of it ran. `host` names this run of the machine.
 */
export function whyNoFurther(plan: BuildPlan, last: LastEnd | undefined, host: string): string | undefined {
  const left = plan.steps.slice(last === undefined ? 0 : last.step + 1);
  const at = last === undefined ? '' : `, at step "${plan.steps[last.step]?.name}"`;
  if (last?.end.ended === 'cancelled')
    return `the keeper of its commands ended them while no worker was there${at}`;
  if (left.length === 0) return undefined;
  if (secretsOf(plan).size > 0) return `its secrets went with the worker’s process and the keeper${at}`;
  // What earlier steps left running, or in a temporary directory, did not outlive that.
  if (last !== undefined && last.boot !== host) return `the machine was started again${at}`;
  return undefined;
}

import type { BuildPlan } from './plan.ts';

/** Names of the secrets that a plan refers to; their values travel beside it and are never stored. */
export function secretsOf(plan: BuildPlan): Set<string> {
  const names = new Set<string>();
  const environments = [plan.env, ...plan.steps.map((step) => (step.kind === 'shell' ? step.env : {}))];
  for (const env of environments) {
    for (const value of Object.values(env)) if (typeof value === 'object') names.add(value.secret);
  }
  for (const step of plan.steps) {
    if (step.kind === 'git' && step.credentials !== null) names.add(step.credentials.secret);
  }
  return names;
}

import type { Evidence } from '../../../api/doctor.ts';
import type { CheckContext } from '../../check.ts';
import { targetAddresses, type Demand, type TargetAddresses } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts } from '../../facts/host.ts';

/** The facts of the host, with what the plan wants of it. */
export interface HostQuestion {
  readonly host: HostFacts;
  readonly targets: readonly TargetAddresses[];
}

/** Gathers the question. */
export async function hostQuestion(context: CheckContext): Promise<HostQuestion> {
  const [host, targets] = await Promise.all([context.probes.host(), targetAddresses(context)]);
  return { host, targets };
}

/** Who needs the family, as evidence. */
export function whyWanted(demands: readonly Demand[], at: string): Evidence[] {
  return demands.map((demand) => evidence('cmd', `IPv${demand.family} is needed`, demand.why, at));
}

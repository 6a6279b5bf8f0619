import { TARGET_TOPICS, type CheckContext } from '../../check.ts';
import type { Evidence } from '../../../api/doctor.ts';
import { evidence } from '../../evidence.ts';
import type { WayFacts, WayFailure } from '../../facts/ways.ts';
import type { TargetSubject } from '../../subject.ts';

export const topics = ['ipv6', ...TARGET_TOPICS] as const;

/** Goes the way, where a target has hops of a kind. */
export async function gatherWay(
  context: CheckContext,
  target: TargetSubject,
  kind: NonNullable<WayFailure['kind']>,
): Promise<WayFacts | undefined> {
  const has = (target.via ?? []).some((hop) => hop.kind === kind);
  return has && target.port !== undefined && target.stopped === undefined
    ? context.probes.way(target)
    : undefined;
}

/** Every step of the way, so that it can be seen how far it goes. */
export function wayEvidence(way: WayFacts): Evidence[] {
  return way.steps.map(({ what, got }) => evidence('connect', what, got, way.at));
}

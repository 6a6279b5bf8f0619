import { TARGET_TOPICS, type CheckContext } from '../../check.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';

export const topics = ['ipv6', ...TARGET_TOPICS] as const;

export interface PeersAt {
  readonly at: string;
  readonly peers: readonly PeerFact[];
}

/** Speaks to whoever answers at each address. */
export const gather = async (context: CheckContext, target: TargetSubject): Promise<PeersAt> => ({
  at: new Date().toISOString(),
  peers: target.stopped === undefined && target.protocol !== 'tcp' ? await context.probes.peers(target) : [],
});

/** Why nobody is spoken to, or undefined. */
export function noPeer(target: TargetSubject): string | undefined {
  if (target.port === undefined) return 'only the name is in question';
  if (target.protocol === 'tcp') return 'nothing but TCP is asked for';
  return target.stopped;
}

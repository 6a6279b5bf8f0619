import type { CheckContext } from '../../check.ts';
import type { ListenerSubject } from '../../subject.ts';

export const topics = ['listen', 'ipv6'] as const;

/** Looks who listens there, and whether it takes connections. */
export const gather = (context: CheckContext, listener: ListenerSubject) => context.probes.listener(listener);

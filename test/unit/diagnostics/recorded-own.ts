import type { OwnProbes } from '../../../src/diagnostics/doors/own.ts';
import type { HealthFact, LinkEndsFacts } from '../../../src/diagnostics/facts/own.ts';
import { NOW } from './recorded-ways.ts';

const AT = '2026-01-01T00:00:00.000Z';

export interface OwnFacts {
  linkEnds?: Partial<LinkEndsFacts>;
  health?: HealthFact[];
}

/** A web port that answers as it should. */
export function healthy(address: string, more: Partial<HealthFact> = {}): HealthFact {
  return {
    address,
    family: address.includes(':') ? 6 : 4,
    status: 200,
    exact: true,
    said: 'HTTP/1.1 200 OK',
    ms: 2,
    ...more,
  };
}

/** Doors that answer as the case says; else a worker that nobody took the name of, and a web port that is well. */
export function ownProbes({ own = {} }: { own?: OwnFacts }): OwnProbes {
  return {
    linkEnds: async () => ({ at: AT, now: NOW, readable: true, takings: [], upAt: NOW, ...own.linkEnds }),
    health: async () => ({ at: AT, addresses: own.health ?? [healthy('::1'), healthy('127.0.0.1')] }),
  };
}

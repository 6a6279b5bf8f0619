import type { TroubleProbes } from '../../../src/diagnostics/doors/trouble.ts';
import type { Attempt } from '../../../src/diagnostics/facts/paths.ts';
import type { PingFact, SeriesFact, TraceFact } from '../../../src/diagnostics/facts/trouble.ts';

const AT = '2026-01-01T00:00:00.000Z';

export interface TroubleFacts {
  /** `null`: the tool is not here. */
  pings?: PingFact[] | null;
  traces?: TraceFact[] | null;
  series?: SeriesFact[];
  nobody?: Attempt[];
}

/** Doors that answer as the case says; of what it does not mention, nothing was in trouble. */
export function troubleProbes({ trouble = {} }: { trouble?: TroubleFacts }): TroubleProbes {
  const { pings, traces, series = [], nobody = [] } = trouble;
  return {
    pings: async () =>
      pings === undefined ? undefined : { at: AT, tool: pings !== null, answers: pings ?? [] },
    traces: async () =>
      traces === undefined ? undefined : { at: AT, tool: traces !== null, traces: traces ?? [] },
    series: async () => series,
    nobody: async () => ({ at: AT, attempts: nobody }),
  };
}

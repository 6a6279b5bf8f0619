import { openTrace, type Trace } from './checks/trace.ts';
import type { Sandbox } from './sandbox.ts';

/** A farm in use, with what its earlier rounds have read already. */
export interface Stage {
  farm: Sandbox;
  trace: Trace;
  /** `lostWorkerGrace` as configured now. */
  grace: string;
  /** Number of events. */
  heard: number;
  /** Bytes of each program's words. */
  said: Map<string, number>;
}

/** So long that it never counts. */
export const LONG_GRACE = '10m';

export function openStage(farm: Sandbox): Stage {
  return { farm, trace: openTrace(farm.dir), grace: LONG_GRACE, heard: 0, said: new Map() };
}

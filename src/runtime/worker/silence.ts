import { LIMITS } from '../../protocol/bbx/limits.ts';

/** Later than its ping by so much a master that is connected is not silent, but late. */
const LATE_MS = 5_000;

/** A master with nothing to say is heard with each of its pings only: such a silence is none, whatever the grace of a build. */
export function unusualSilence(silentMs: number): number {
  return silentMs <= LIMITS.pingEveryMs + LATE_MS ? 0 : silentMs;
}

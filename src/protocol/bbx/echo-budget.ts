import type { Clock } from '../../base/clock.ts';

/** A bucket of tokens: `burst` at once, `perSecond` more with time. */
export interface EchoBudget {
  /** Whether one was there; it is used up then. */
  take(): boolean;
}

/** Makes a full bucket. */
export function createEchoBudget(clock: Clock, burst: number, perSecond: number): EchoBudget {
  let tokens = burst;
  let at = clock.monotonic();
  return {
    take() {
      const now = clock.monotonic();
      tokens = Math.min(burst, tokens + ((now - at) / 1000) * perSecond);
      at = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

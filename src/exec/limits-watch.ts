import { LONGEST_TIMER_MS, type Clock } from '../base/clock.ts';

export type Limit = 'timeout' | 'maxTime';

/**
 * Watches a command's two limits: silence, and time in all. Time during which we did not read (`hold` … `resume`) counts for neither: a
 * full spool must not end a healthy command.
 */
export function watchLimits(options: {
  timeoutMs: number | null;
  maxTimeMs: number | null;
  clock: Clock;
  onLimit: (limit: Limit) => void;
}): { sawOutput(): void; hold(): void; resume(): void; stop(): void } {
  const { timeoutMs, maxTimeMs, clock, onLimit } = options;
  let lastOutput = clock.monotonic();
  let begin = lastOutput;
  let heldSince: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  // One timer that looks when the nearer limit can be reached; output only moves a number.
  const arm = () => {
    const now = clock.monotonic();
    const silenceLeft = timeoutMs === null ? Infinity : lastOutput + timeoutMs - now;
    const timeLeft = maxTimeMs === null ? Infinity : begin + maxTimeMs - now;
    const left = Math.min(silenceLeft, timeLeft);
    if (left === Infinity || heldSince !== undefined || stopped) return;
    if (left <= 0) {
      onLimit(timeLeft <= 0 ? 'maxTime' : 'timeout');
      return;
    }
    timer = setTimeout(arm, Math.min(Math.ceil(left), LONGEST_TIMER_MS));
  };
  arm();
  return {
    sawOutput() {
      lastOutput = clock.monotonic();
    },
    hold() {
      heldSince ??= clock.monotonic();
      clearTimeout(timer);
    },
    resume() {
      if (heldSince === undefined) return;
      const held = clock.monotonic() - heldSince;
      heldSince = undefined;
      lastOutput += held;
      begin += held;
      arm();
    },
    stop() {
      clearTimeout(timer);
      stopped = true;
    },
  };
}

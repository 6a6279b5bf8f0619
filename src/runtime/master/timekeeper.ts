import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { SteadyClock } from '../../base/steady-clock.ts';

/** How often the clocks are compared. */
const LOOK_MS = 5_000;
/** Less is how two clocks are read, and what a time server corrects. */
const SET_S = 1;

/**
 * Says when the master's time was set, and lets the clock of builds follow it once no build runs. Gives the way to stop.
 */
export function keepTime(options: {
  clock: Clock;
  steady: SteadyClock;
  /** Nothing is being measured now. */
  idle: () => boolean;
  log: Log;
  everyMs?: number;
}): () => void {
  const { clock, steady, idle, log, everyMs = LOOK_MS } = options;
  const read = () => clock.wall() - clock.monotonic() / 1000;
  let before = read();
  const timer = setInterval(() => {
    const now = read();
    const by = now - before;
    before = now;
    if (Math.abs(by) > SET_S) {
      const way = by > 0 ? 'forward' : 'back';
      log.warn(`The time of this machine was set ${way} by ${Math.abs(by).toFixed(1)} s, or it slept`, {
        builds: idle() ? 'none runs' : 'those that run are timed without it',
      });
    }
    if (idle()) steady.settle();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

import type { Clock } from '../../base/clock.ts';
import { createPulse } from './pulse.ts';
import type { PulseReading } from './pulse.ts';

/** Pings the peer and finds out when it has gone. */
export interface Heartbeat {
  /** A byte has arrived. */
  heard(): void;
  /** A ping was answered. */
  ponged(): void;
  /** Round trips since the last call. */
  takePulse(): PulseReading;
  /** Reading is paused by this side: silence says nothing about the peer until it is released. */
  hold(held: boolean): void;
  /** Monotonic ms of the last received byte. */
  readonly heardAt: number;
  stop(): void;
}

/** Pings a peer that is quiet, and tells when it has been silent for too long. */
export function startHeartbeat(options: {
  clock: Clock;
  pingEveryMs: number;
  silenceMs: number;
  ping(): void;
  /** Called once. */
  dead(): void;
}): Heartbeat {
  const { clock, pingEveryMs, silenceMs } = options;
  let countedFrom = clock.monotonic();
  let held = false;
  const pulse = createPulse();
  const pings = setInterval(() => {
    if (!held) pulse.pinged(clock.monotonic(), heartbeat.heardAt);
    options.ping();
  }, pingEveryMs);
  const check = () => {
    const silent = held ? 0 : clock.monotonic() - countedFrom;
    if (silent >= silenceMs) {
      clearInterval(pings);
      options.dead();
    } else {
      timer = setTimeout(check, Math.max(1, silenceMs - silent));
    }
  };
  let timer = setTimeout(check, silenceMs);
  const heartbeat = {
    heardAt: countedFrom,
    heard() {
      heartbeat.heardAt = countedFrom = clock.monotonic();
    },
    ponged: () => void pulse.ponged(clock.monotonic()),
    takePulse: () => pulse.take(),
    hold(hold: boolean) {
      held = hold;
      pulse.forget();
      countedFrom = clock.monotonic();
    },
    stop() {
      clearInterval(pings);
      clearTimeout(timer);
    },
  };
  return heartbeat;
}

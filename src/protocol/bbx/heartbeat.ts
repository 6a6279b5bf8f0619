import type { Clock } from '../../base/clock.ts';

/** Pings the peer and finds out when it has gone. */
export interface Heartbeat {
  /** A byte has arrived. */
  heard(): void;
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
  let heardAt = clock.monotonic();
  let countedFrom = heardAt;
  let held = false;
  const pings = setInterval(() => options.ping(), pingEveryMs);
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
  return {
    heard() {
      heardAt = countedFrom = clock.monotonic();
    },
    hold(hold) {
      held = hold;
      countedFrom = clock.monotonic();
    },
    get heardAt() {
      return heardAt;
    },
    stop() {
      clearInterval(pings);
      clearTimeout(timer);
    },
  };
}

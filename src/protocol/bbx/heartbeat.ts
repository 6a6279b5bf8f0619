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
  /** For so long no ping is sent, and silence says nothing. */
  quiet(ms: number): void;
  /** Monotonic ms of the last received byte. */
  readonly heardAt: number;
  stop(): void;
}

/** Called as its methods, so a class may stand for it. */
export interface HeartbeatOptions {
  clock: Clock;
  pingEveryMs: number;
  silenceMs: number;
  ping(): void;
  /** Called once. */
  dead(): void;
}

/** Pings a peer that is quiet, and tells when it has been silent for too long. */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  return new Beat(options);
}

class Beat implements Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #pulse = createPulse();
  readonly #pings: NodeJS.Timeout;
  #timer: NodeJS.Timeout;
  #isHeld = false;
  #countedFrom: number;
  #quietUntil = 0;
  heardAt: number;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.heardAt = this.#countedFrom = options.clock.monotonic();
    this.#pings = setInterval(() => this.#beat(), options.pingEveryMs);
    this.#timer = setTimeout(() => this.#check(), options.silenceMs);
  }

  heard(): void {
    this.heardAt = this.#countedFrom = this.#options.clock.monotonic();
  }

  ponged(): void {
    this.#pulse.ponged(this.#options.clock.monotonic());
  }

  takePulse(): PulseReading {
    return this.#pulse.take();
  }

  hold(held: boolean): void {
    this.#isHeld = held;
    this.#pulse.forget();
    this.#countedFrom = this.#options.clock.monotonic();
  }

  quiet(ms: number): void {
    this.#quietUntil = this.#options.clock.monotonic() + ms;
  }

  stop(): void {
    clearInterval(this.#pings);
    clearTimeout(this.#timer);
  }

  #beat(): void {
    const now = this.#options.clock.monotonic();
    if (now < this.#quietUntil) return;
    if (!this.#isHeld) this.#pulse.pinged(now, this.heardAt);
    this.#options.ping();
  }

  #check(): void {
    const { clock, silenceMs } = this.#options;
    const silent = this.#isHeld ? 0 : clock.monotonic() - Math.max(this.#countedFrom, this.#quietUntil);
    if (silent >= silenceMs) {
      clearInterval(this.#pings);
      this.#options.dead();
    } else {
      this.#timer = setTimeout(() => this.#check(), Math.max(1, silenceMs - silent));
    }
  }
}

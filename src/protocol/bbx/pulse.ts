/** What the pings of a while have shown. Times in ms, null where no answer came. */
export interface PulseReading {
  pings: number;
  /** Pings after which not a byte had come when the next one was due. */
  missed: number;
  minMs: number | null;
  medianMs: number | null;
  maxMs: number | null;
}

/** Round trips of one session. Times are monotonic ms. */
export interface Pulse {
  /** A ping leaves; `heardAt` is when the last byte came. */
  pinged(now: number, heardAt: number): void;
  /** Its answer has come; gives the round trip, undefined when it says nothing about the way. */
  ponged(now: number): number | undefined;
  /** This side stops reading: what answers now waits here, not on the way. */
  forget(): void;
  /** The reading since the last call. */
  take(): PulseReading;
}

/** Readings kept between two calls of `take`: an hour of pings; what nobody asks for must not grow. */
const KEPT = 240;

/** Counts pings and measures their round trips. */
export function createPulse(): Pulse {
  return new PulseCounter();
}

class PulseCounter implements Pulse {
  #onTheWay: number[] = [];
  #trips: number[] = [];
  #pings = 0;
  #missed = 0;

  pinged(now: number, heardAt: number): void {
    const last = this.#onTheWay.at(-1);
    if (last !== undefined && heardAt < last) this.#missed += 1;
    this.#pings += 1;
    this.#onTheWay.push(now);
    if (this.#onTheWay.length > KEPT) this.#onTheWay.shift();
  }

  ponged(now: number): number | undefined {
    const sent = this.#onTheWay.shift();
    if (sent === undefined) return undefined;
    this.#trips.push(now - sent);
    if (this.#trips.length > KEPT) this.#trips.shift();
    return now - sent;
  }

  forget(): void {
    this.#onTheWay = [];
  }

  take(): PulseReading {
    const sorted = this.#trips.toSorted((a, b) => a - b);
    const at = (index: number) => (sorted.length === 0 ? null : Math.round(sorted[index]! * 10) / 10);
    const reading = {
      pings: this.#pings,
      missed: this.#missed,
      minMs: at(0),
      medianMs: at(Math.floor((sorted.length - 1) / 2)),
      maxMs: at(sorted.length - 1),
    };
    this.#trips = [];
    this.#pings = this.#missed = 0;
    return reading;
  }
}

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
  let onTheWay: number[] = [];
  let trips: number[] = [];
  let pings = 0;
  let missed = 0;
  return {
    pinged(now, heardAt) {
      const last = onTheWay.at(-1);
      if (last !== undefined && heardAt < last) missed += 1;
      pings += 1;
      onTheWay.push(now);
      if (onTheWay.length > KEPT) onTheWay.shift();
    },
    ponged(now) {
      const sent = onTheWay.shift();
      if (sent === undefined) return undefined;
      trips.push(now - sent);
      if (trips.length > KEPT) trips.shift();
      return now - sent;
    },
    forget: () => void (onTheWay = []),
    take() {
      const sorted = trips.toSorted((a, b) => a - b);
      const at = (index: number) => (sorted.length === 0 ? null : Math.round(sorted[index]! * 10) / 10);
      const reading = {
        pings,
        missed,
        minMs: at(0),
        medianMs: at(Math.floor((sorted.length - 1) / 2)),
        maxMs: at(sorted.length - 1),
      };
      trips = [];
      pings = missed = 0;
      return reading;
    },
  };
}

/** Streams of a session that were asked to rest and have not said yet that they do. */
export interface PauseWatch {
  asked(stream: number): void;
  answered(stream: number): void;
  stop(): void;
}

/** Calls `late` for each stream that was not answered for within `limitMs` by the clock `now`, which may stand still, and perhaps is no more. */
export function watchPauses(limitMs: number, now: () => number, late: (stream: number) => void): PauseWatch {
  const timers = new Map<number, NodeJS.Timeout>();
  return {
    asked(stream) {
      const lateAt = now() + limitMs;
      const look = () => {
        const leftMs = lateAt - now();
        if (leftMs > 0) return void timers.set(stream, setTimeout(look, Math.max(1, leftMs)));
        timers.delete(stream);
        late(stream);
      };
      look();
    },
    answered(stream) {
      clearTimeout(timers.get(stream));
      timers.delete(stream);
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

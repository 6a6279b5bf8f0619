/** Streams of a session that were asked to rest and have not said yet that they do. */
export interface PauseWatch {
  asked(stream: number): void;
  answered(stream: number): void;
  stop(): void;
}

/** Calls `late` for each stream that was not answered for within `limitMs`, and perhaps is no more. */
export function watchPauses(limitMs: number, late: (stream: number) => void): PauseWatch {
  const timers = new Map<number, NodeJS.Timeout>();
  return {
    asked(stream) {
      const act = () => {
        timers.delete(stream);
        late(stream);
      };
      timers.set(stream, setTimeout(act, limitMs));
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

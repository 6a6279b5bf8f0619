/** Passes values on, the first at once and then at most one each `everyMs`: of what comes faster only the newest counts. */
export interface Latest<Value> {
  give(value: Value): void;
  /** What waits is forgotten. */
  stop(): void;
}

/** For words of a peer that replace what it said before. */
export function createLatest<Value>(everyMs: number, act: (value: Value) => void): Latest<Value> {
  let waiting: { value: Value } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    if (waiting === undefined) return;
    const { value } = waiting;
    waiting = undefined;
    timer = setTimeout(look, everyMs);
    act(value);
  };
  return {
    give(value) {
      waiting = { value };
      if (timer === undefined) look();
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
      waiting = undefined;
    },
  };
}

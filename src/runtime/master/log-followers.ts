/** Who follows which log. */
export interface LogFollowers {
  /** Calls `listener` whenever there may be more of the log to read, until what it gives is called. */
  listen(logid: number, listener: () => void): () => void;
  wake(logid: number): void;
  has(logid: number): boolean;
}

export function createLogFollowers(): LogFollowers {
  const listeners = new Map<number, Set<() => void>>();
  return {
    listen(logid, listener) {
      let set = listeners.get(logid);
      if (set === undefined) listeners.set(logid, (set = new Set()));
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(logid);
      };
    },
    wake(logid) {
      for (const listener of listeners.get(logid) ?? []) listener();
    },
    has: (logid) => listeners.has(logid),
  };
}

/** How many bytes the spool holds, and who waits because it is full. */
export interface SpoolBudget {
  readonly used: number;
  limit: number;
  /** Takes room for bytes, waiting until it is there. `held` is called once when it has to wait. Rejects with the signal's reason. */
  take(bytes: number, held: () => void, signal: AbortSignal): Promise<void> | undefined;
  /** Takes room without asking: for what is small and cannot wait. */
  force(bytes: number): void;
  give(bytes: number): void;
  /** Writers that wait now. */
  readonly waiting: number;
  /** Called when somebody begins to wait, so that what can be freed is freed. */
  onPressure(listener: () => void): void;
  /** Called when nobody waits any more. */
  onRelief(listener: () => void): void;
  /** Lets all who wait fail, now and later: the worker is stopping. */
  giveUp(reason: Error): void;
}

/** Counts the bytes of all spools against the worker's limit. */
export function createSpoolBudget(initialLimit: number): SpoolBudget {
  let limit = initialLimit;
  let used = 0;
  let over: Error | undefined;
  const queue: { bytes: number; resolve(): void; reject(error: Error): void }[] = [];
  const listeners: (() => void)[] = [];
  const relieved: (() => void)[] = [];
  const fits = (bytes: number) => used === 0 || used + bytes <= limit;
  const serve = () => {
    for (let next = queue[0]; next !== undefined && fits(next.bytes); next = queue[0]) {
      queue.shift();
      used += next.bytes;
      next.resolve();
      if (queue.length === 0) for (const listener of relieved) listener();
    }
  };
  return {
    get used() {
      return used;
    },
    get limit() {
      return limit;
    },
    set limit(bytes) {
      limit = bytes;
      serve();
    },
    take(bytes, held, signal) {
      const ended = over ?? (signal.aborted ? (signal.reason as Error) : undefined);
      if (ended !== undefined) return Promise.reject(ended);
      if (queue.length === 0 && fits(bytes)) {
        used += bytes;
        return undefined;
      }
      held();
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          queue.splice(queue.indexOf(waiting), 1);
          reject(signal.reason as Error);
          if (queue.length === 0) for (const listener of relieved) listener();
          serve();
        };
        const done = () => signal.removeEventListener('abort', onAbort);
        const waiting = {
          bytes,
          resolve() {
            done();
            resolve();
          },
          reject(error: Error) {
            done();
            reject(error);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        queue.push(waiting);
        for (const listener of listeners) listener();
      });
    },
    force(bytes) {
      used += bytes;
    },
    give(bytes) {
      used = Math.max(0, used - bytes);
      serve();
    },
    get waiting() {
      return queue.length;
    },
    onPressure: (listener) => void listeners.push(listener),
    onRelief: (listener) => void relieved.push(listener),
    giveUp(reason) {
      over = reason;
      for (const { reject } of queue.splice(0)) reject(reason);
    },
  };
}

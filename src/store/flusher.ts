/**
 * Makes commits durable in groups: those that come while one flush is under way share the next. A flush that fails is not tried again, since the
 * system may have dropped what it could not write: from then on everything rejects with that error.
 */
export interface Flusher {
  /** Runs a commit: what becomes visible by it is not durable before a `flush` that is called afterwards has resolved. */
  commit(act: () => Promise<void>): Promise<void>;
  /** Resolves when everything that was committed before this call is durable. */
  flush(): Promise<void>;
  /** Resolves when everything that can be seen now is durable. */
  settled(): Promise<void>;
  /** Resolves, whatever comes of it, when no flush is under way or asked for any more. */
  idle(): Promise<void>;
}

/** Groups calls of `sync`, which makes durable what was written before it is called. */
export function createFlusher(sync: () => Promise<void>): Flusher {
  // Numbers of commits: begun (others may see them from then on), ended, and on the disk. They come one at a time.
  let visible = 0;
  let ended = 0;
  let durable = 0;
  let failed = false;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function start(): Promise<void> {
    const covers = ended;
    running = sync().then(() => {
      durable = covers;
      running = undefined;
    });
    // Whoever waits for it hears of a failure; it stays for those who come later.
    running.catch(() => void (failed = true));
    return running;
  }

  function flush(): Promise<void> {
    if (running === undefined) return start();
    // What is under way began before this commit.
    next ??= running.then(() => {
      next = undefined;
      return start();
    });
    next.catch(() => undefined);
    return next;
  }

  return {
    async commit(act) {
      visible += 1;
      try {
        await act();
      } finally {
        ended = visible;
      }
    },
    flush,
    async settled() {
      if (durable < visible) await flush();
    },
    async idle() {
      // The first one lets those ask whose commits have just ended.
      await flush().catch(() => undefined);
      while (running !== undefined && !failed) await (next ?? running).catch(() => undefined);
    },
  };
}

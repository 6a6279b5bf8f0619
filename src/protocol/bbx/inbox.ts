/** Messages that were received and wait for their turn; one is handled at a time, in order. */
export interface Inbox<Item> {
  push(item: Item, bytes: number): void;
  /** Forgets what waits; what is being handled goes on. */
  clear(): void;
  /** Resolves when nothing waits and nothing is being handled. */
  idle(): Promise<void>;
}

export interface InboxOptions<Item> {
  maxBytes: number;
  maxItems: number;
  /** Called with true when more waits than the limits allow, with false when half of that is gone. */
  full(full: boolean): void;
  handle(item: Item): void | Promise<void>;
  /** A handler threw; nothing more is handled. */
  failed(error: unknown): void;
}

/** Handles what comes in its order, one after the other, and holds the peer up while too much waits. */
export function createInbox<Item>(options: InboxOptions<Item>): Inbox<Item> {
  let waiting: { item: Item; bytes: number }[] = [];
  let waitingBytes = 0;
  let isFull = false;
  let busy = false;
  let broken = false;
  let idlers: (() => void)[] = [];

  const over = (share: number) =>
    waitingBytes > options.maxBytes * share || waiting.length > options.maxItems * share;
  const measure = () => {
    const now = isFull ? over(0.5) : over(1);
    if (now === isFull) return;
    isFull = now;
    options.full(now);
  };
  const fail = (error: unknown) => {
    broken = true;
    waiting = [];
    waitingBytes = 0;
    options.failed(error);
  };

  // Handlers that answer at once are called in one go: a promise for each of 100,000 frames a second would cost more than the frames.
  const pump = () => {
    if (busy) return;
    busy = true;
    for (;;) {
      const next = waiting.shift();
      if (next === undefined) break;
      waitingBytes -= next.bytes;
      let handled: void | Promise<void>;
      try {
        handled = options.handle(next.item);
      } catch (error) {
        fail(error);
        break;
      }
      if (handled instanceof Promise) {
        measure();
        handled.catch(fail).then(() => {
          busy = false;
          pump();
        }, fail);
        return;
      }
    }
    busy = false;
    measure();
    const resolved = idlers;
    idlers = [];
    for (const resolve of resolved) resolve();
  };

  return {
    push(item, bytes) {
      if (broken) return;
      waiting.push({ item, bytes });
      waitingBytes += bytes;
      measure();
      pump();
    },
    clear() {
      waiting = [];
      waitingBytes = 0;
    },
    idle() {
      if (!busy && waiting.length === 0) return Promise.resolve();
      return new Promise((resolve) => idlers.push(resolve));
    },
  };
}

import type { Clock } from '../../base/clock.ts';

/** Messages that were received and wait for their turn; one is handled at a time, in order. */
export interface Inbox<Item> {
  push(item: Item, bytes: number): void;
  /** Forgets what waits; what is being handled goes on. */
  clear(): void;
  /** Milliseconds so far in which a handler was waited for, so that nothing else was taken. */
  readonly heldMs: number;
  /** Resolves when nothing waits and nothing is being handled. */
  idle(): Promise<void>;
}

/** Called as its methods, so a class may stand for it. */
export interface InboxOptions<Item> {
  clock: Clock;
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
  return new OrderedInbox(options);
}

class OrderedInbox<Item> implements Inbox<Item> {
  readonly #options: InboxOptions<Item>;
  #waiting: { item: Item; bytes: number }[] = [];
  #waitingBytes = 0;
  #isFull = false;
  #isBusy = false;
  #isBroken = false;
  #heldMs = 0;
  /** Monotonic ms at which the handler that is waited for began. */
  #heldAt: number | undefined;
  #idlers: (() => void)[] = [];

  constructor(options: InboxOptions<Item>) {
    this.#options = options;
  }

  push(item: Item, bytes: number): void {
    if (this.#isBroken) return;
    // Nearly always nothing waits, and the list stays empty.
    if (!this.#isBusy && this.#waiting.length === 0) return this.#pump({ item, bytes: 0 });
    this.#waiting.push({ item, bytes });
    this.#waitingBytes += bytes;
    this.#measure();
    this.#pump();
  }

  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  get heldMs(): number {
    return this.#heldMs + (this.#heldAt === undefined ? 0 : this.#options.clock.monotonic() - this.#heldAt);
  }

  idle(): Promise<void> {
    if (!this.#isBusy && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  // Handlers that answer at once are called in one go: a promise for each of 100,000 frames a second would cost more than the frames.
  #pump(first?: { item: Item; bytes: number }): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = first ?? this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#waitingBytes -= next.bytes;
      let handled: void | Promise<void>;
      try {
        handled = this.#options.handle(next.item);
      } catch (error) {
        this.#fail(error);
        break;
      }
      if (handled instanceof Promise) {
        const fail = (error: unknown) => this.#fail(error);
        this.#measure();
        this.#heldAt = this.#options.clock.monotonic();
        handled.catch(fail).then(() => {
          this.#heldMs = this.heldMs;
          this.#heldAt = undefined;
          this.#isBusy = false;
          this.#pump();
        }, fail);
        return;
      }
    }
    this.#isBusy = false;
    this.#measure();
    const resolved = this.#idlers;
    this.#idlers = [];
    for (const resolve of resolved) resolve();
  }

  #measure(): void {
    const { maxBytes, maxItems } = this.#options;
    const share = this.#isFull ? 0.5 : 1;
    const now = this.#waitingBytes > maxBytes * share || this.#waiting.length > maxItems * share;
    if (now === this.#isFull) return;
    this.#isFull = now;
    this.#options.full(now);
  }

  #fail(error: unknown): void {
    this.#isBroken = true;
    this.clear();
    this.#options.failed(error);
  }
}

import type { FarmEvent } from '../api/objects.ts';
import { sleep } from '../base/abort.ts';
import type { Client } from '../client/client.ts';

export interface Heard {
  id: number;
  event: FarmEvent;
  /** Monotonic ms. */
  at: number;
}

/** Somebody who listens to the farm's events all the time, over every restart of the master. */
export interface Watcher extends AsyncDisposable {
  /** All of them so far, as they came. */
  readonly heard: readonly Heard[];
  /** Resolves at the next event of one of these types, and after `limitMs` at the latest; rejects with the reason of `signal`. */
  next(types: ReadonlySet<FarmEvent['type']>, limitMs: number, signal: AbortSignal): Promise<void>;
  /** Why it stopped listening, which it must not. */
  readonly broken: unknown;
}

/** Listens from the first event on until it is disposed of. */
export function startWatcher(client: Client): Watcher {
  const stop = new AbortController();
  const heard: Heard[] = [];
  const waiting = new Set<(type: FarmEvent['type']) => void>();
  let broken: unknown;
  const listening = (async () => {
    for await (const { id, event } of client.events({ after: 0, signal: stop.signal })) {
      heard.push({ id, event, at: performance.now() });
      for (const tell of waiting) tell(event.type);
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) broken = error;
  });
  return {
    heard,
    get broken() {
      return broken;
    },
    async next(types, limitMs, signal) {
      const came = new AbortController();
      const tell = (type: FarmEvent['type']) => void (types.has(type) && came.abort());
      waiting.add(tell);
      try {
        await sleep(limitMs, AbortSignal.any([signal, came.signal])).catch(() => undefined);
      } finally {
        waiting.delete(tell);
      }
      signal.throwIfAborted();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listening;
    },
  };
}

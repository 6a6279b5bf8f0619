import type { FarmEvent } from '../api/objects.ts';
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
  /** Why it stopped listening, which it must not. */
  readonly broken: unknown;
}

/** Listens from the first event on until it is disposed of. */
export function startWatcher(client: Client): Watcher {
  const stop = new AbortController();
  const heard: Heard[] = [];
  let broken: unknown;
  const listening = (async () => {
    for await (const { id, event } of client.events({ after: 0, signal: stop.signal }))
      heard.push({ id, event, at: performance.now() });
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) broken = error;
  });
  return {
    heard,
    get broken() {
      return broken;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listening;
    },
  };
}

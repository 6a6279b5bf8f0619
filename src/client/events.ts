import { farmEvent, type FarmEvent } from '../api/objects.ts';
import { STREAMS } from '../api/routes.ts';
import { sleep } from '../base/abort.ts';
import { createBackoff } from '../base/backoff.ts';
import { BbxError } from '../base/error.ts';
import type { Caller } from './call.ts';
import { createSseReader } from './sse.ts';

export interface NumberedEvent {
  id: number;
  event: FarmEvent;
}

export interface EventsOptions {
  /** The last event that is already known; without it only what happens from now on. */
  after?: number | undefined;
  signal: AbortSignal;
  /** Called when the stream stands (again): what was read before may be stale. */
  onOpen?: () => void;
  /** Called when the connection broke and is tried again. */
  onBreak?: (error: BbxError) => void;
}

/** A master that restarts is back within seconds; the delays stay short because a person watches. */
const RETRY_MS = { firstMs: 200, maxMs: 3_000 };

/**
 * Events in order, each once: after a break it asks for what came after the last one it gave. An error that is not about the
 * connection ends it. Events of a type that this version does not know are left out.
 */
export async function* readEvents(
  caller: Caller,
  options: EventsOptions,
): AsyncGenerator<NumberedEvent, void, undefined> {
  const backoff = createBackoff(RETRY_MS);
  let after = options.after;
  for (;;) {
    try {
      const what = 'events';
      const stream = await caller.stream(
        STREAMS.events,
        { query: { after } },
        { what, signal: options.signal },
      );
      options.onOpen?.();
      backoff.reset();
      for await (const found of eventsOf(stream)) {
        after = found.id;
        if (found.event !== undefined) yield { id: found.id, event: found.event };
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (!(error instanceof BbxError && error.retryable)) throw error;
      options.onBreak?.(error);
    }
    if (options.signal.aborted) return;
    await sleep(backoff.next(), options.signal).catch(() => undefined);
  }
}

async function* eventsOf(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ id: number; event: FarmEvent | undefined }> {
  const reader = createSseReader();
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    for (const { id, data } of reader.push(decoder.decode(bytes, { stream: true }))) {
      const number = Number(id);
      if (Number.isSafeInteger(number)) yield { id: number, event: eventOf(data) };
    }
  }
}

function eventOf(data: string): FarmEvent | undefined {
  try {
    return farmEvent.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}

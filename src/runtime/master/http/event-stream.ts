import { eventsAfter } from '../../../store/events.ts';
import type { Farm, NumberedEvent } from '../events.ts';
import { createWaiter } from './waiter.ts';

/** Events that one read takes, and that are kept for one reader; who is further behind gets them in such pieces. */
const EVENTS = 500;
/** A comment line on a quiet event stream, so that both sides see a dead line. */
const HEARTBEAT_MS = 15_000;

/**
 * The events after a position, as server-sent events, each once and in order, until the signal. Who is behind reads rows; who has caught up is given
 * what the master hears anyway, so that a reader does not cost a read for every change.
 */
export async function* readEvents(farm: Farm, after: number, signal: AbortSignal): AsyncGenerator<string> {
  const waiter = createWaiter(signal);
  let position = after;
  /** Heard of since somebody looked last, in order and without a gap, unless the reader is behind. */
  let heard: NumberedEvent[] = [];
  let isBehind = true;
  const unlisten = farm.listen((events) => {
    if (heard.length + events.length <= EVENTS) heard.push(...events);
    else {
      heard = [];
      isBehind = true;
    }
    waiter.wake();
  });

  async function stored(): Promise<{ id: number; event: object }[]> {
    // Set again meanwhile when too much is heard: rows that were read before that do not hold it.
    isBehind = false;
    const rows = await farm.store.read((db) => eventsAfter(db, position, EVENTS));
    isBehind ||= rows.length === EVENTS;
    return rows.map(({ eventid, type, payload }) => ({ id: eventid, event: { type, ...payload } }));
  }

  function fresh(): NumberedEvent[] {
    const news = heard.filter(({ id }) => id > position);
    heard = [];
    return news;
  }

  try {
    yield `: listening after ${position}\n\n`;
    while (!signal.aborted) {
      waiter.reset();
      const news = isBehind ? await stored() : fresh();
      position = news.at(-1)?.id ?? position;
      // One piece, one write to the socket, for what came together.
      const text = news.map(({ id, event }) => `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
      if (text.length > 0) yield text.join('');
      if (!isBehind && !(await waiter.wait(HEARTBEAT_MS))) yield ': still here\n\n';
    }
  } finally {
    unlisten();
  }
}

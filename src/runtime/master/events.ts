import type { FarmEvent } from '../../api/objects.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Tx } from '../../store/database.ts';
import type { Store } from '../../store/store.ts';
import { appendEvents } from '../../store/events.ts';

export interface NumberedEvent {
  id: number;
  event: FarmEvent;
}

export type Emit = (event: FarmEvent) => void;

/** Rows, then event, then nudge: the only way in which the farm's state changes. */
export interface Farm {
  readonly store: Store;
  /**
   * One transaction: what `act` writes and the events it emits are committed together, and only then do the listeners hear of it. When it
   * rejects, nothing of it happened and nobody heard.
   */
  change<T>(act: (tx: Tx, emit: Emit) => Promise<T>): Promise<T>;
  /** Hears of every committed change, in order. Listeners only nudge: they must not throw or wait. Gives the way to stop. */
  listen(listener: (events: readonly NumberedEvent[]) => void): () => void;
  /** The newest committed event that this process wrote; 0: none yet. */
  readonly newest: number;
}

/** The one way to change the state: rows and events in a transaction, then those who listen. */
export function createFarm({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Farm {
  const listeners = new Set<(events: readonly NumberedEvent[]) => void>();
  let newest = 0;
  return {
    store,
    async change(act) {
      let events: NumberedEvent[] = [];
      const result = await store.write(async (tx) => {
        const emitted: FarmEvent[] = [];
        const value = await act(tx, (event) => void emitted.push(event));
        const at = clock.wall();
        const ids = await appendEvents(
          tx,
          emitted.map(({ type, ...payload }) => ({ at, type, payload })),
        );
        events = emitted.map((event, index) => ({ id: ids[index]!, event }));
        return value;
      });
      const last = events.at(-1);
      if (last === undefined) return result;
      newest = last.id;
      for (const listener of listeners) {
        try {
          listener(events);
        } catch (error) {
          log.error('A listener of events failed', { error: String(error) });
        }
      }
      return result;
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get newest() {
      return newest;
    },
  };
}

import type { createAppender } from './appender.ts';
import { fileError } from './error.ts';
import type { Handles } from './handles.ts';
import { syncRunning } from './running.ts';
import { syncFolders, type Entry, type Shelf } from './shelf.ts';
import { createSlots } from './slots.ts';

/** Syncs at once: one of the four threads that serve files in Node stays free for appends. */
const SYNCING = 3;

/** Makes logs durable, several at a time. */
export function createSyncer(deps: {
  dir: string;
  handles: Handles;
  shelf: Shelf;
  appender: ReturnType<typeof createAppender>;
}) {
  const { dir, handles, shelf, appender } = deps;
  const slots = createSlots(SYNCING);

  const syncOne = async (entry: Entry): Promise<number> => {
    const state = await shelf.stateOf(entry);
    if (state.kind === 'absent') return 0;
    if (state.kind === 'finished') return state.table.bytes;
    const { running } = state;
    if (running.synced.size === running.size && !running.unnamed) return running.size;
    try {
      await handles.use(entry.place.running, 'r+', (handle) => syncRunning(handle, running));
      if (running.unnamed) await syncFolders(dir, entry.place);
      running.unnamed = false;
      return running.synced.size;
    } catch (error) {
      // It was finished meanwhile, which is durable by itself.
      if (entry.state?.kind === 'finished') return entry.state.table.bytes;
      await entry.line.run(() => appender.giveUp(entry, running));
      throw error;
    }
  };

  return {
    /** Gives the sizes that now survive a power failure. Rejects with the first failure, when all the others are done. */
    async sync(entries: readonly Entry[]): Promise<Map<number, number>> {
      const sizes = new Map<number, number>();
      const done = await Promise.allSettled(
        entries.map((entry) =>
          slots.run(async () => {
            try {
              sizes.set(entry.logid, await syncOne(entry));
            } catch (error) {
              throw fileError(entry.place.running, error);
            }
          }),
        ),
      );
      const failed = done.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return sizes;
    },
  };
}

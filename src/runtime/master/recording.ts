import type { Log } from '../../base/log.ts';
import type { NextBuilds } from './claim.ts';
import type { Ended } from './endings.ts';
import type { Farm } from './events.ts';
import { follow } from './follow.ts';
import type { LogIntake } from './logs.ts';
import type { Item } from './record-news.ts';
import { writeItems, type ClosedLog } from './record-rows.ts';
import type { Running } from './running.ts';

/** What is to be written of one build. */
export interface Recorded {
  build: Running;
  items: Item[];
  /** Logs of the finished steps among the items. */
  closed: ClosedLog[] | undefined;
}

/** What comes after builds that end: in their transaction where `next` gives it, else `freed` is told after that. */
export interface Places {
  next(): NextBuilds | undefined;
  freed(): void;
}

/**
 * Gives the way to write several builds in one transaction; then memory follows. With `along` what waits for their places begins in it too. When it
 * rejects nothing of it happened.
 */
export function createRecording(options: {
  farm: Farm;
  logs: LogIntake;
  log: Log;
  over: (build: Running, ended: Ended | undefined) => void;
  places: Places;
}): (batch: readonly Recorded[], how: { along: boolean }) => Promise<void> {
  const { farm, logs, log: say, over, places } = options;
  return async (batch, { along }) => {
    const next = along && batch.some(mayEnd) ? places.next() : undefined;
    const after: (() => void)[] = [];
    const ending = new Set<number>();
    try {
      await farm.change(async (tx, emit) => {
        after.length = 0;
        ending.clear();
        const hears = {
          ...{ logs, over },
          after: (act: () => void) => void after.push(act),
          ends: ({ buildid }: Running) => void ending.add(buildid),
        };
        for (const { build, items, closed } of batch)
          await writeItems(tx, emit, build, items, closed ?? [], hears);
        if (ending.size > 0) await next?.claim(tx, emit, ending);
      });
      follow(after, say);
      if (next !== undefined) follow([() => next.begin()], say);
      else if (ending.size > 0) follow([() => places.freed()], say);
    } finally {
      next?.release();
    }
  };
}

function mayEnd({ items }: Recorded): boolean {
  return items.some(
    (item) => item.kind === 'end' || (item.kind === 'event' && item.event.type === 'buildFinished'),
  );
}

import { compareWaiting, type Waiting } from './match.ts';

/**
 * The requests that wait, by builder and best first, kept in step with the rows so that a round of the dispatcher reads none of them.
 * Adding is a binary search; taking the head is cheap however long the queue is.
 */
export interface WaitingRequests {
  add(builderid: number, request: Waiting): void;
  /** Takes a request out, wherever it stands; false when it does not wait. */
  remove(request: number): boolean;
  has(request: number): boolean;
  /** Best first; not to be changed. */
  of(builderid: number): readonly Waiting[];
  builders(): Iterable<number>;
  readonly size: number;
}

/** The requests that wait, in memory, as the rows have them. */
export function createWaitingRequests(): WaitingRequests {
  const byBuilder = new Map<number, Waiting[]>();
  const where = new Map<number, { builderid: number; request: Waiting }>();
  return {
    add(builderid, request) {
      if (where.has(request.id)) return;
      let queue = byBuilder.get(builderid);
      if (queue === undefined) byBuilder.set(builderid, (queue = []));
      queue.splice(position(queue, request), 0, request);
      where.set(request.id, { builderid, request });
    },
    remove(id) {
      const found = where.get(id);
      if (found === undefined) return false;
      where.delete(id);
      const queue = byBuilder.get(found.builderid)!;
      queue.splice(position(queue, found.request), 1);
      if (queue.length === 0) byBuilder.delete(found.builderid);
      return true;
    },
    has: (id) => where.has(id),
    of: (builderid) => byBuilder.get(builderid) ?? [],
    builders: () => byBuilder.keys(),
    get size() {
      return where.size;
    },
  };
}

/** Where a request stands, or would stand, in a queue in order. */
function position(queue: readonly Waiting[], request: Waiting): number {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareWaiting(queue[middle]!, request) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * So many sessions of one name replaced by another process …: two processes that throw each other out have each done it twice. Counted
 * whatever their boot ids are, since a service manager starts the loser anew, with a new one.
 */
const REPLACEMENTS = 4;
/** … within a minute: two processes hold the same key and name, and it is not one that lost its line. */
const WITHIN_MS = 60_000;

/** Tells two rivals of one name from one process that comes back (which has the same boot id). Times are monotonic ms. */
export interface Alternation {
  /** A live session of another boot is about to be replaced; false: no, these two alternate and the newcomer is to be refused. */
  mayReplace(name: string, old: { boot: string }, newcomer: { boot: string }, now: number): boolean;
}

/** Notices that two processes take the place of one name from each other in turn. */
export function createAlternation(): Alternation {
  const byName = new Map<string, number[]>();
  return {
    mayReplace(name, old, newcomer, now) {
      if (old.boot === newcomer.boot) return true;
      const times = (byName.get(name) ?? []).filter((at) => now - at <= WITHIN_MS);
      if (times.length >= REPLACEMENTS) {
        byName.set(name, times);
        return false;
      }
      byName.set(name, [...times, now]);
      return true;
    },
  };
}

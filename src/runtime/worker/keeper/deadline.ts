/** The worker ends an orphan so long before its grace is over: TERM, KILL and the last words take their time. */
const ORPHAN_MARGIN_MS = 15_000;
/** … but of a short grace at most this share. */
const ORPHAN_MARGIN_SHARE = 0.25;
/** The keeper of a worker that is there comes after it, in case that one hangs: with this share of the margin left. */
const SECOND_SHARE = 0.6;

/**
 * How long a build may still run, ms, when its master was last heard `silentMs` ago; Infinity without a deadline. `second`: as seen by the
 * keeper of a worker that has the first word.
 */
export function orphanLeftMs(orphanAfter: number | null, silentMs: number, second = false): number {
  if (orphanAfter === null) return Infinity;
  const graceMs = orphanAfter * 1000;
  const marginMs = Math.min(ORPHAN_MARGIN_MS, graceMs * ORPHAN_MARGIN_SHARE);
  return graceMs - (second ? marginMs * SECOND_SHARE : marginMs) - silentMs;
}

/** How often a keeper hears when the master was heard, ms, at most … */
const TELL_MS = 1_000;
/** … and this often within the shortest grace of its builds, so that a busy machine may lose some of it. */
const TELLS_PER_GRACE = 20;
const TELL_LEAST_MS = 50;

/** How often the keeper of builds with such graces is told, ms. */
export function tellEveryMs(orphanAfters: readonly (number | null)[]): number {
  const shortest = Math.min(...orphanAfters.map((seconds) => (seconds ?? Infinity) * 1_000));
  return Math.min(TELL_MS, Math.max(TELL_LEAST_MS, shortest / TELLS_PER_GRACE));
}

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

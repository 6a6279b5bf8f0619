import { LIMITS } from '../../protocol/bbx/limits.ts';

/**
 * The worker ends an orphan so long before the master gives the build to another: it may notice the silence of a dead line as much later than the
 * master, and then its process tree must end.
 */
const MARGIN_S = LIMITS.silenceMs / 1_000 + 10;
/** Of a short grace this share is left to the worker at least. */
const SHARE = 0.5;

/** How long a worker goes on without the master, in seconds: it must have ended before the master's grace is over. */
export function orphanAfter(graceMs: number): number {
  const grace = graceMs / 1_000;
  return Math.max(grace * SHARE, grace - MARGIN_S);
}

/** The grace that belongs to what a worker was told, in ms: before it is over the build may still run there. */
export function graceOf(orphanAfterS: number): number {
  return Math.min(orphanAfterS / SHARE, orphanAfterS + MARGIN_S) * 1_000;
}

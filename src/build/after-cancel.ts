/** Steps that clean up after a cancel get this long, all together: enough to take containers down, short for a person who waits. */
export const CANCEL_GRACE_MS = 60_000;

/**
 * Two signals for the steps of one build: `cancelled` for ordinary steps (aborted by a cancel or a stop), `ended` for steps with
 * alwaysRun that start after a cancel (aborted by a stop, or `graceMs` after the cancel).
 */
export function afterCancel(
  cancel: AbortSignal,
  stop: AbortSignal | undefined,
  graceMs: number,
): { cancelled: AbortSignal; ended: AbortSignal; [Symbol.dispose](): void } {
  const over = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    timer ??= setTimeout(() => over.abort(new Error('the time for steps after a cancel is over')), graceMs);
  };
  if (cancel.aborted) begin();
  else cancel.addEventListener('abort', begin, { once: true });
  const hard = stop === undefined ? over.signal : AbortSignal.any([over.signal, stop]);
  return {
    cancelled: AbortSignal.any([cancel, hard]),
    ended: hard,
    [Symbol.dispose]() {
      cancel.removeEventListener('abort', begin);
      clearTimeout(timer);
    },
  };
}

/** Waits for `wake` since the last `reset`, a time limit, or the signal; true when it was woken. */
export function createWaiter(signal: AbortSignal) {
  let woken = false;
  let finish: (() => void) | undefined;
  const wake = () => {
    woken = true;
    finish?.();
  };
  return {
    wake,
    reset() {
      woken = false;
    },
    async wait(ms: number): Promise<boolean> {
      if (woken || signal.aborted) return woken;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, ms);
        function done() {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          finish = undefined;
          resolve();
        }
        finish = done;
        signal.addEventListener('abort', done, { once: true });
      });
      return woken;
    },
  };
}

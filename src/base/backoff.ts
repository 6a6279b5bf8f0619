export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  factor?: number;
  /** Share of each delay that is drawn at random, 0 to 1, so that a thousand workers do not return in step. */
  jitter?: number;
  random?: () => number;
}

/** Growing delays between tries of one thing; `reset()` after a success that lasted. */
export function createBackoff(options: BackoffOptions): {
  next(): number;
  reset(): void;
  readonly tries: number;
} {
  const { firstMs, maxMs, factor = 1.5, jitter = 0.3, random = Math.random } = options;
  let tries = 0;
  return {
    next() {
      const full = Math.min(maxMs, firstMs * factor ** tries);
      tries += 1;
      return Math.round(full * (1 - jitter) + full * jitter * random());
    },
    reset() {
      tries = 0;
    },
    get tries() {
      return tries;
    },
  };
}

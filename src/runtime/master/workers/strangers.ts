import { LIMITS } from '../../../protocol/bbx/limits.ts';

/** The connections that nobody is let in by, or not yet: each costs memory, and a flood of them must not cost more. */
export interface Strangers {
  /** Whether one more may come. */
  mayCome(): boolean;
  /** More are here than may be. */
  tooMany(): boolean;
  /** Counts a connection until the given function is called. */
  counting(): () => void;
  /** A place among those that rest for a probe; gives what frees it, or undefined when all are taken. */
  mayHold(): (() => void) | undefined;
}

/** Counts them, and those of them that rest. */
export function createStrangers(): Strangers {
  let here = 0;
  let resting = 0;
  return {
    mayCome: () => here < LIMITS.unauthenticated,
    tooMany: () => here > LIMITS.unauthenticated,
    counting() {
      here += 1;
      let counted = true;
      return () => {
        if (counted) here -= 1;
        counted = false;
      };
    },
    mayHold() {
      if (resting >= LIMITS.holds) return undefined;
      resting += 1;
      return () => void (resting -= 1);
    },
  };
}

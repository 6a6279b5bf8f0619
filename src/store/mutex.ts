import { codes } from './codes.ts';

/** Writes that may wait at once; more than that is a storm that no store works off in time. */
const WAITING = 10_000;

/** How long a write waits for its turn. */
const WAIT_MS = 30_000;

/** Lets one act in at a time, in the order of asking. Waiting has limits, in number and in time: BBX-STO-BUSY, retryable. */
export function createMutex(options: { waiting?: number; waitMs?: number } = {}) {
  const { waiting: most = WAITING, waitMs = WAIT_MS } = options;
  const queue: (() => void)[] = [];
  let held = false;

  const enter = () =>
    new Promise<void>((resolve, reject) => {
      if (!held) {
        held = true;
        resolve();
        return;
      }
      if (queue.length >= most) {
        reject(codes['BBX-STO-BUSY']({ what: `${most} other writes still waited`, waitedMs: 0 }));
        return;
      }
      const turn = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(turn), 1);
        reject(codes['BBX-STO-BUSY']({ what: 'other writes were still before it', waitedMs: waitMs }));
      }, waitMs);
      queue.push(turn);
    });

  const leave = () => {
    const next = queue.shift();
    if (next === undefined) held = false;
    else next();
  };

  return {
    async run<T>(act: () => Promise<T>): Promise<T> {
      await enter();
      try {
        return await act();
      } finally {
        leave();
      }
    },
    get waiting() {
      return queue.length;
    },
  };
}

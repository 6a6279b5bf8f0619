/** Makes acts on one thing wait for each other, in order; acts on different things go side by side. */
export function createLine() {
  let tail: Promise<unknown> = Promise.resolve();
  let length = 0;
  return {
    run<T>(act: () => Promise<T>): Promise<T> {
      length += 1;
      const done = tail.then(act).finally(() => {
        length -= 1;
      });
      tail = done.catch(() => undefined);
      return done;
    },
    get idle() {
      return length === 0;
    },
  };
}
export type Line = ReturnType<typeof createLine>;

/** Lets at most `most` acts in at a time. */
export function createSlots(most: number) {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return {
    async run<T>(act: () => Promise<T>): Promise<T> {
      if (taken >= most) await new Promise<void>((resolve) => waiting.push(resolve));
      else taken += 1;
      try {
        return await act();
      } finally {
        const next = waiting.shift();
        if (next === undefined) taken -= 1;
        else next();
      }
    },
  };
}

/** Remembers the promise of each question. */
export function once<Value>(): (key: string, ask: () => Promise<Value>) => Promise<Value> {
  const asked = new Map<string, Promise<Value>>();
  return (key, ask) => {
    const known = asked.get(key) ?? ask();
    asked.set(key, known);
    return known;
  };
}

/** Lets at most `places` callers in at a time, in order. */
export function gate(places: number): <Value>(work: () => Promise<Value>) => Promise<Value> {
  let free = places;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

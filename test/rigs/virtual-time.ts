import { LONGEST_TIMER_MS, type Clock } from '../../src/base/clock.ts';

/** What a turn of the event loop takes: whoever is busy without end comes to the end of the time, too. */
const TURN_MS = 0.01;
/** Turns in which nothing was to be done. What Node does with streams and promises between two timers takes one. */
const IDLE_TURNS = 2;

/** Time that does not wait: it passes when nothing else is to be done, to the next timer at once. */
export interface VirtualTime extends Disposable {
  readonly clock: Clock;
  /** Timers that were set and have neither come nor been cleared. */
  readonly timers: number;
  /** Runs what is set for the next so many ms, or until nothing is set any more; gives how many timers are left. */
  pass(ms: number): Promise<number>;
  /** Clears every timer. */
  forget(): void;
}

interface Timer {
  due: number;
  /** Of an interval. */
  every: number | undefined;
  act: () => void;
}

/**
 * From now on `setTimeout`, `setInterval` and `setImmediate` of this process go by virtual time, so that a machine's load changes nothing of what happens, and
 * waiting costs nothing. For code that waits for timers and for itself alone: what comes from the kernel would be overtaken. `Symbol.dispose` gives
 * the real ones back.
 */
export function enterVirtualTime(): VirtualTime {
  const real = {
    ...{ setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate },
  };
  const timers = new Map<object, Timer>();
  let now = 0;
  /** Of `setImmediate`. */
  const pending = new Set<object>();
  let idle = 0;
  let isOver = false;

  function set(act: (...args: unknown[]) => void, ms: unknown, every: boolean, args: unknown[]): object {
    const asked = Number(ms);
    // As Node's own: what is no length of time, or too long a one, is 1 ms.
    const delay = asked >= 1 && asked <= LONGEST_TIMER_MS ? asked : 1;
    const timer: Timer = {
      due: now + delay,
      every: every ? delay : undefined,
      act: () => void act(...args),
    };
    const handle = {
      ref: () => handle,
      unref: () => handle,
      hasRef: () => true,
      refresh() {
        timer.due = now + delay;
        return handle;
      },
      close: () => clear(handle),
    };
    timers.set(handle, timer);
    return handle;
  }
  function clear(handle: unknown): void {
    timers.delete(handle as object);
  }
  function next(): [object, Timer] | undefined {
    let first: [object, Timer] | undefined;
    for (const entry of timers) if (first === undefined || entry[1].due < first[1].due) first = entry;
    return first;
  }
  function run([handle, timer]: [object, Timer]): void {
    now = Math.max(now, timer.due);
    if (timer.every === undefined) timers.delete(handle);
    else timer.due = now + timer.every;
    timer.act();
  }
  function turn(): void {
    if (isOver) return;
    real.setImmediate(turn);
    now += TURN_MS;
    idle = pending.size > 0 ? 0 : idle + 1;
    const first = next();
    if (first !== undefined && (first[1].due <= now || idle > IDLE_TURNS)) {
      idle = 0;
      run(first);
    }
  }

  Object.assign(globalThis, {
    setTimeout: (act: () => void, ms?: unknown, ...args: unknown[]) => set(act, ms, false, args),
    setInterval: (act: () => void, ms?: unknown, ...args: unknown[]) => set(act, ms, true, args),
    clearTimeout: clear,
    clearInterval: clear,
    setImmediate(act: (...args: unknown[]) => void, ...args: unknown[]) {
      const handle = real.setImmediate(() => {
        pending.delete(handle);
        act(...args);
      });
      pending.add(handle);
      return handle;
    },
    clearImmediate(handle: NodeJS.Immediate | undefined) {
      if (handle !== undefined) pending.delete(handle);
      real.clearImmediate(handle);
    },
  });
  real.setImmediate(turn);
  return {
    clock: { wall: () => 1_700_000_000 + now / 1_000, monotonic: () => now },
    get timers() {
      return timers.size;
    },
    async pass(ms) {
      const until = now + ms;
      // The turns themselves take a little time, so this ends.
      while (now < until && (timers.size > 0 || pending.size > 0))
        await new Promise((resolve) => real.setImmediate(resolve));
      return timers.size;
    },
    forget: () => timers.clear(),
    [Symbol.dispose]() {
      isOver = true;
      Object.assign(globalThis, real);
    },
  };
}

import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { errnoOf, sentences } from '../base/error.ts';
import type { Attempt } from './evidence.ts';
import { isLocalRefusal } from './evidence.ts';
import { createQueue } from './race-queue.ts';

/** RFC 8305 section 5: recommended delay between attempts. */
const ATTEMPT_DELAY_MS = 250;
/** RFC 8305 section 3: how long A waits for a AAAA answer that is late. */
const RESOLUTION_DELAY_MS = 50;
/** One address: three SYNs of a usual kernel, and longer than the slowest neighbour discovery (3.1 s). */
const ATTEMPT_LIMIT_MS = 10_000;

export interface RaceFamily {
  family: 4 | 6;
  /** Resolves to an empty list where the name has none; must not reject. */
  addresses: Promise<readonly string[]>;
}

export interface RaceOptions<T> {
  families: readonly RaceFamily[];
  /** Must end soon after its signal is aborted. */
  connect(address: string, family: 4 | 6, signal: AbortSignal): Promise<T>;
  /** Closes a connection that came too late, or, when all are waited for, every one. */
  discard(connection: T): void;
  /** How an attempt names its address in evidence. */
  label(address: string): string;
  onAttempt?: ((attempt: Attempt) => void) | undefined;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  attemptDelayMs?: number;
  resolutionDelayMs?: number;
  attemptLimitMs?: number;
  /** The whole race. */
  limitMs?: number;
  /** The doctor's way: every address is tried at once, none is cancelled, all connections are discarded. */
  waitForAll?: boolean;
}

export interface RaceResult<T> {
  /** Undefined when no address connected, and where all were waited for. */
  winner: { connection: T; address: string; family: 4 | 6 } | undefined;
  /** In the order of their start, cancelled ones included. */
  attempts: Attempt[];
  /** The race's own limit came before every address had its answer. */
  timedOut: boolean;
}

interface Running {
  address: string;
  family: 4 | 6;
  startedMs: number;
  abort: AbortController;
  timer: NodeJS.Timeout;
}

/**
 * Connects to whichever address answers first, by RFC 8305: families interleaved and IPv6 first, a new attempt each 250 ms while the
 * older ones go on, at once when one fails. Node's own way closes an attempt when it starts the next, and so never reaches a peer
 * whose handshake is slow. Losers are cancelled. Rejects only with the signal's reason.
 */
export function race<T>(options: RaceOptions<T>): Promise<RaceResult<T>> {
  const {
    clock = systemClock,
    attemptDelayMs = ATTEMPT_DELAY_MS,
    resolutionDelayMs = RESOLUTION_DELAY_MS,
    attemptLimitMs = ATTEMPT_LIMIT_MS,
    waitForAll = false,
    signal,
  } = options;

  return new Promise((resolve, reject) => {
    const queue = createQueue();
    const attempts: (Attempt | undefined)[] = [];
    const running = new Map<number, Running>();
    let unanswered = options.families.length;
    let nextTimer: NodeJS.Timeout | undefined;
    let lastStartMs = -Infinity;
    /** Until this moment IPv4 waits for IPv6's answer; undefined before any answer. */
    let heldUntilMs: number | undefined;
    let over = false;

    const limitTimer =
      options.limitMs === undefined ? undefined : setTimeout(() => finish('timeout'), options.limitMs);
    const onAbort = () => {
      stop('cancelled');
      reject(signal?.reason as Error);
    };

    function record(index: number, attempt: Attempt) {
      attempts[index] = attempt;
      options.onAttempt?.(attempt);
    }

    /** Ends everything that still runs; each attempt gets its last word. */
    function stop(last: 'cancelled' | 'silent') {
      over = true;
      clearTimeout(limitTimer);
      clearTimeout(nextTimer);
      signal?.removeEventListener('abort', onAbort);
      for (const [index, one] of running) {
        clearTimeout(one.timer);
        const ms = clock.monotonic() - one.startedMs;
        record(index, {
          address: options.label(one.address),
          family: one.family,
          result: last,
          local: false,
          ms,
        });
        one.abort.abort();
      }
      running.clear();
    }

    function finish(how: 'answered' | 'timeout', winner?: RaceResult<T>['winner']) {
      if (over) return;
      stop(how === 'timeout' ? 'silent' : 'cancelled');
      const done = attempts.filter((attempt) => attempt !== undefined);
      resolve({ winner, attempts: done, timedOut: how === 'timeout' });
    }

    function start(candidate: { address: string; family: 4 | 6 }) {
      const { address, family } = candidate;
      const index = attempts.push(undefined) - 1;
      const abort = new AbortController();
      const startedMs = clock.monotonic();
      lastStartMs = startedMs;
      const base = { address: options.label(address), family };
      const end = (): number => {
        const one = running.get(index);
        clearTimeout(one?.timer);
        running.delete(index);
        return clock.monotonic() - startedMs;
      };
      const timer = setTimeout(() => {
        const ms = end();
        abort.abort();
        record(index, { ...base, result: 'silent', local: false, ms });
        proceed(true);
      }, attemptLimitMs);
      running.set(index, { address, family, startedMs, abort, timer });

      void options.connect(address, family, abort.signal).then(
        (connection) => {
          if (over || !running.has(index)) return options.discard(connection);
          record(index, { ...base, result: 'connected', local: false, ms: end() });
          if (!waitForAll) return finish('answered', { connection, address, family });
          options.discard(connection);
          proceed(false);
        },
        (error: unknown) => {
          if (over || !running.has(index)) return;
          const errno = errnoOf(error);
          record(index, {
            ...base,
            result: 'refused',
            local: isLocalRefusal(error),
            ms: end(),
            ...(errno === undefined ? {} : { errno }),
            message: sentences(error)[0] ?? 'failed',
          });
          proceed(true);
        },
      );
    }

    /** Decides what to do next; `failed` is true when an attempt has just failed, so that the next one need not wait. */
    function proceed(failed: boolean) {
      if (over) return;
      clearTimeout(nextTimer);
      if (queue.size === 0) {
        if (running.size === 0 && unanswered === 0) finish('answered');
        return;
      }
      const now = clock.monotonic();
      if (!waitForAll) {
        const held = heldUntilMs === undefined ? 0 : heldUntilMs - now;
        const paced = failed || running.size === 0 ? 0 : lastStartMs + attemptDelayMs - now;
        const wait = Math.max(held, paced);
        if (wait > 0) {
          nextTimer = setTimeout(() => proceed(false), wait);
          return;
        }
      }
      const candidate = queue.take();
      if (candidate === undefined) return;
      start(candidate);
      proceed(false);
    }

    if (signal?.aborted === true) {
      clearTimeout(limitTimer);
      reject(signal.reason as Error);
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    const wants6 = options.families.some(({ family }) => family === 6);
    for (const { family, addresses } of options.families) {
      const answer = (list: readonly string[]) => {
        if (over) return;
        unanswered -= 1;
        queue.add(family, list);
        const first = attempts.length === 0 && heldUntilMs === undefined;
        if (family === 6) heldUntilMs = -Infinity;
        else if (first && wants6 && unanswered > 0) heldUntilMs = clock.monotonic() + resolutionDelayMs;
        proceed(false);
      };
      void addresses.then(answer, () => answer([]));
    }
    if (options.families.length === 0) finish('answered');
  });
}

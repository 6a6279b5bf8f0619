import { EXIT } from '../base/exit.ts';
import { sentences } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { SAME_WISH_MS } from './terminal/context.ts';

/** What a service manager or a person wants of a running program. */
export interface Orders extends Disposable {
  /** Aborted by the first SIGTERM or SIGINT: end in good order. */
  readonly stop: AbortSignal;
  /** Aborted by the second one: end now, builds too. */
  readonly stopNow: AbortSignal;
}

/**
 * Takes the signals over until the process ends. `onReload` is called by SIGHUP, one call at a time. When the orders are disposed of, all that was
 * asked for is done: one more signal to stop, on its way since before, ends the process as its end in good order would.
 */
export function takeSignals(
  options: { log: Log; onReload?: () => Promise<void> },
  from: NodeJS.EventEmitter = process,
  monotonic: () => number = () => performance.now(),
  exit: () => void = () => process.exit(process.exitCode ?? EXIT.ok),
): Orders {
  const { log, onReload } = options;
  const stop = new AbortController();
  const stopNow = new AbortController();
  let reloading: Promise<void> = Promise.resolve();
  let lastAt = -Infinity;
  const onStop = (signal: NodeJS.Signals) => {
    const now = monotonic();
    if (now - lastAt < SAME_WISH_MS) return;
    lastAt = now;
    const first = !stop.signal.aborted;
    log.info(first ? `${signal}: stopping` : `${signal} again: stopping builds too`);
    (first ? stop : stopNow).abort();
  };
  const onHangUp = () => {
    if (onReload === undefined) log.info('SIGHUP: nothing to reload here');
    else {
      reloading = reloading.then(onReload).catch((error: unknown) => {
        log.error('reload failed', { error });
      });
    }
  };
  from.on('SIGTERM', onStop);
  from.on('SIGINT', onStop);
  from.on('SIGHUP', onHangUp);
  return {
    stop: stop.signal,
    stopNow: stopNow.signal,
    [Symbol.dispose]() {
      if (stop.signal.aborted) {
        from.on('SIGTERM', exit);
        from.on('SIGINT', exit);
        // Left to itself the process would take its handlers down first, and die of one that comes while it takes down the rest.
        from.once('beforeExit', exit);
      }
      from.removeListener('SIGTERM', onStop);
      from.removeListener('SIGINT', onStop);
      from.removeListener('SIGHUP', onHangUp);
    },
  };
}

/**
 * A fault that nobody caught leaves the program in a state that nobody knows: it is logged with its stack and the process ends with 70. What
 * was stored is safe, and builds go on at the workers.
 */
export function endOnFault(log: Log): void {
  const onFault = (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error('this is a fault of bbx; please report it', { error: sentences(error).join(': '), stack });
    process.exit(EXIT.fault);
  };
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

import { STREAMS } from '../api/routes.ts';
import { sleep } from '../base/abort.ts';
import { createBackoff } from '../base/backoff.ts';
import { BbxError } from '../base/error.ts';
import type { Caller } from './call.ts';

export interface LogOptions {
  /** A BUILD of the command line. */
  build: string;
  /** How people name that build, for errors: `app/12`. */
  title?: string;
  /** Number or name. */
  step: string;
  log: string;
  /** Goes on until the log is complete. */
  follow?: boolean;
  /** `output`: exactly what the command wrote, without bbx's own header lines. */
  channels?: 'all' | 'output';
  signal?: AbortSignal | undefined;
  /** Called when the connection broke and is tried again. */
  onBreak?: (error: BbxError) => void;
}

export const RETRY_MS = { firstMs: 200, maxMs: 3_000 };
/** So long may a master be away before a reader who follows gives up. */
export const AWAY_LIMIT_MS = 10 * 60_000;

/**
 * A log's bytes from its start, each once and in order. When the connection breaks it goes on where it was: by offset, which counts all
 * channels; with fewer channels it asks from the start and leaves out what it gave (logs only grow, so the same bytes come again).
 */
export async function* readLog(
  caller: Caller,
  options: LogOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { build, step, log, follow = false, channels = 'all', signal } = options;
  const what = `log "${log}" of step ${step} of build ${options.title ?? build}`;
  const backoff = createBackoff(RETRY_MS);
  let given = 0;
  let awaySince: number | undefined;
  for (;;) {
    try {
      const query = {
        follow: follow || undefined,
        channels: channels === 'output' ? channels : undefined,
        offset: channels === 'all' && given > 0 ? given : undefined,
      };
      let toSkip = channels === 'all' ? 0 : given;
      for await (const bytes of await caller.stream(
        STREAMS.log,
        { params: { build, step, log }, query },
        { what, signal },
      )) {
        awaySince = undefined;
        backoff.reset();
        const fresh = bytes.subarray(Math.min(toSkip, bytes.length));
        toSkip -= bytes.length - fresh.length;
        given += fresh.length;
        if (fresh.length > 0) yield fresh;
      }
      if (!follow || (await isOver(caller, options))) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof BbxError && error.retryable) || !follow) throw error;
      awaySince ??= performance.now();
      if (performance.now() - awaySince > AWAY_LIMIT_MS) throw error;
      options.onBreak?.(error);
    }
    await sleep(backoff.next(), signal);
  }
}

/** A master that stops ends its streams in good order, too: only a complete log is the end of a follower. */
export async function isOver(caller: Caller, { build, step, log, signal }: LogOptions): Promise<boolean> {
  const { logs } = await caller.call('step', { params: { build, step } }, { signal });
  const found = logs.find(({ name }) => name === log);
  return found === undefined || found.complete || found.pruned;
}

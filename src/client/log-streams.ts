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

const RETRY_MS = { firstMs: 200, maxMs: 3_000 };
/** So long may a master be away before a reader who follows gives up. */
const AWAY_LIMIT_MS = 10 * 60_000;

/** The name of a log in errors. */
export function logWords({ build, title, step, log }: LogOptions): string {
  return `log "${log}" of step ${step} of build ${title ?? build}`;
}

/**
 * The parts of a log that `read` makes of its bytes. With `follow` one stream comes after another until the log is complete: `place` is asked
 * before each for what is to be added to its query, so that it begins where the last one broke.
 */
export async function* readLogStreams<Part>(
  caller: Caller,
  options: LogOptions,
  place: () => { offset: number | undefined; pieces?: true },
  read: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Part>,
): AsyncGenerator<Part, void, undefined> {
  const { build, step, log, follow = false, channels = 'all', signal } = options;
  const what = logWords(options);
  const backoff = createBackoff(RETRY_MS);
  let awaySince: number | undefined;
  for (;;) {
    try {
      const query = {
        ...place(),
        follow: follow || undefined,
        channels: channels === 'output' ? channels : undefined,
      };
      const stream = await caller.stream(
        STREAMS.log,
        { params: { build, step, log }, query },
        { what, signal },
      );
      for await (const part of read(stream)) {
        awaySince = undefined;
        backoff.reset();
        yield part;
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
async function isOver(caller: Caller, { build, step, log, signal }: LogOptions): Promise<boolean> {
  const { logs } = await caller.call('step', { params: { build, step } }, { signal });
  const found = logs.find(({ name }) => name === log);
  return found === undefined || found.complete || found.pruned;
}

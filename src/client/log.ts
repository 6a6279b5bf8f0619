import type { Caller } from './call.ts';
import { readLogStreams, type LogOptions } from './log-streams.ts';

/**
 * A log's bytes from its start, each once and in order. When the connection breaks it goes on where it was: by offset, which counts all
 * channels; with fewer channels it asks from the start and leaves out what it gave (logs only grow, so the same bytes come again).
 */
export async function* readLog(
  caller: Caller,
  options: LogOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const all = (options.channels ?? 'all') === 'all';
  let given = 0;
  let toSkip = 0;
  const place = () => {
    toSkip = all ? 0 : given;
    return { offset: all && given > 0 ? given : undefined };
  };
  for await (const bytes of readLogStreams(caller, options, place, (stream) => stream)) {
    const fresh = bytes.subarray(Math.min(toSkip, bytes.length));
    toSkip -= bytes.length - fresh.length;
    given += fresh.length;
    if (fresh.length > 0) yield fresh;
  }
}

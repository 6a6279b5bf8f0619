import type { BuildObject, FarmEvent, RequestObject, StepObject } from '../api/objects.ts';
import { sleep } from '../base/abort.ts';
import { createBackoff } from '../base/backoff.ts';
import { BbxError } from '../base/error.ts';
import type { Client } from './client.ts';

/** A request with its builds as they were at one look. */
export interface Snapshot {
  request: RequestObject;
  /** Oldest first; each with its steps. */
  builds: readonly BuildObject[];
}

/** What happened between two looks, or to the link. */
export type Happening =
  | { type: 'request.waiting'; request: RequestObject }
  | { type: 'build.started'; build: BuildObject }
  | { type: 'step.started'; build: BuildObject; step: StepObject }
  | { type: 'step.finished'; build: BuildObject; step: StepObject }
  | { type: 'build.finished'; build: BuildObject }
  | { type: 'request.finished'; request: RequestObject; build: BuildObject | undefined }
  | { type: 'link.lost'; message: string }
  | { type: 'link.back' };

/** Looked at again after this long although no event came: events say when to look, not what is there. */
const LOOK_AGAIN_MS = 5_000;
const RETRY_MS = { firstMs: 200, maxMs: 3_000 };
/** So long may a master be away before the watcher gives up; builds go on without it. */
const AWAY_LIMIT_MS = 10 * 60_000;

/** What is new in `next`, in the order in which it happened as far as two looks can tell. */
export function happenings(before: Snapshot | undefined, next: Snapshot): Happening[] {
  const found: Happening[] = [];
  if (before === undefined && next.builds.length === 0 && !next.request.complete) {
    found.push({ type: 'request.waiting', request: next.request });
  }
  for (const build of next.builds) {
    const old = before?.builds.find(({ buildid }) => buildid === build.buildid);
    if (old === undefined) found.push({ type: 'build.started', build });
    for (const step of build.steps ?? []) {
      const oldStep = old?.steps?.find(({ number }) => number === step.number);
      if (step.started_at !== null && (oldStep === undefined || oldStep.started_at === null)) {
        found.push({ type: 'step.started', build, step });
      }
      if (step.complete && oldStep?.complete !== true) found.push({ type: 'step.finished', build, step });
    }
    if (build.complete && old?.complete !== true) found.push({ type: 'build.finished', build });
  }
  if (next.request.complete && before?.request.complete !== true) {
    found.push({ type: 'request.finished', request: next.request, build: next.builds.at(-1) });
  }
  return found;
}

/**
 * Follows a request to its end, or, with `until`, to the end of that build of it. Survives a master that restarts (for ten minutes);
 * any other error ends it.
 */
export async function* watchRequest(
  client: Client,
  request: number,
  options: { signal: AbortSignal; until?: number },
): AsyncGenerator<Happening, void, undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const news = listen(client, request, signal);
  const backoff = createBackoff(RETRY_MS);
  let before: Snapshot | undefined;
  let awaySince: number | undefined;
  try {
    for (;;) {
      options.signal.throwIfAborted();
      try {
        const next = await look(client, request, before, signal);
        if (awaySince !== undefined) yield { type: 'link.back' };
        awaySince = undefined;
        backoff.reset();
        for (const happening of happenings(before, next)) {
          yield happening;
          if (happening.type === 'build.finished' && happening.build.buildid === options.until) return;
        }
        if (next.request.complete) return;
        before = next;
        await news.next(LOOK_AGAIN_MS);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!(error instanceof BbxError && error.retryable)) throw error;
        if (awaySince === undefined) yield { type: 'link.lost', message: error.message };
        awaySince ??= performance.now();
        if (performance.now() - awaySince > AWAY_LIMIT_MS) throw error;
        await sleep(backoff.next(), options.signal);
      }
    }
  } finally {
    stop.abort();
    await news.ended;
  }
}

async function look(
  client: Client,
  request: number,
  before: Snapshot | undefined,
  signal: AbortSignal,
): Promise<Snapshot> {
  const now = await client.call('request', { params: { request: String(request) } }, { signal });
  const builds: BuildObject[] = [];
  for (const { buildid } of now.builds) {
    const known = before?.builds.find((build) => build.buildid === buildid);
    // A finished build does not change any more.
    builds.push(
      known?.complete === true
        ? known
        : await client.call('build', { params: { build: String(buildid) } }, { signal }),
    );
  }
  return { request: now, builds };
}

/** Turns the event stream into a bell: `next` resolves when something of this request happened since the last call, or time is over. */
function listen(client: Client, request: number, signal: AbortSignal) {
  let rung = false;
  let wake: (() => void) | undefined;
  const builds = new Set<number>();
  const ring = () => {
    rung = true;
    wake?.();
  };
  const concerns = (event: FarmEvent): boolean => {
    if ('buildrequestid' in event && event.buildrequestid === request) {
      if ('buildid' in event) builds.add(event.buildid);
      return true;
    }
    // Events of steps name the build alone; one that was running before is not known yet, and a look costs little.
    return 'buildid' in event && (builds.size === 0 || builds.has(event.buildid));
  };
  signal.addEventListener('abort', ring, { once: true });
  const ended = (async () => {
    try {
      for await (const { event } of client.events({ signal, onOpen: ring })) if (concerns(event)) ring();
    } catch {
      // The looks themselves say what is wrong with the master.
    }
  })();
  return {
    ended,
    next: async (limitMs: number) => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, limitMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (signal.aborted) wake();
        });
      }
      rung = false;
      wake = undefined;
    },
  };
}

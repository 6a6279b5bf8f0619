import type { PathObject, PlacesObject } from '../api/path.ts';
import type { Topic } from '../diagnostics/check.ts';
import { markClocks } from '../diagnostics/doors/clock-moves.ts';
import { examine, type Examined } from '../diagnostics/examine.ts';
import type { Outcome } from '../diagnostics/run.ts';
import { nameOf } from '../diagnostics/subject.ts';
import type { DoctorOptions } from './doctor-options.ts';
import { questionOf } from './doctor-question.ts';
import type { DialPlace } from '../protocol/bbx/dial-facts.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { note } from './terminal/print.ts';
import { BBX_VERSION } from './version.ts';

/** With `--soak`: the longest rest, and what stands around it. */
const SOAK_BUDGET_MS = 330_000;
/** A worker has 14 s to try its ways; the master's answer follows at once. */
const PATH_MS = 16_000;
/** How often it is said what is waited for. */
const PATIENCE_MS = 2_000;
/** Of what is waited for, so many are named. */
const NAMED = 4;

/** A look at what the call is about, as often as it is wanted. */
export interface Look {
  /** `only` and `skip` narrow the call's own words. */
  (narrowed?: { only: readonly string[]; skip?: readonly string[] }): Promise<Examined>;
}

/** Prepares the look; with a terminal it says what it waits for. Throws BBX-USAGE for words that make no question. */
export function createLook(
  context: Context,
  topic: Topic | undefined,
  words: readonly string[],
  options: DoctorOptions,
  onOutcome?: (outcome: Outcome) => void,
): Look {
  const question = questionOf(topic, words, options, context.cwd);
  const budgetMs = options.soak === true ? Math.max(options.budget ?? 0, SOAK_BUDGET_MS) : options.budget;
  const began = markClocks();
  return async (narrowed) => {
    const waiting = new Set<string>();
    using _progress = sayWhatIsAwaited(context, waiting);
    return examine({
      question,
      cwd: context.cwd,
      dir: options.dir,
      env: context.env,
      software: `bbx ${BBX_VERSION} doctor`,
      budgetMs,
      only: narrowed?.only ?? options.only ?? [],
      skip: narrowed?.skip ?? options.skip ?? [],
      signal: context.signal,
      began,
      askPath: (worker) => askPath(context, worker, options),
      askPlaces: (worker, places) => askPlaces(context, worker, places, options),
      onStart: (check, subject) => waiting.add(`${check.id} of ${nameOf(subject)}`),
      onOutcome: (outcome) => {
        waiting.delete(`${outcome.check.id} of ${nameOf(outcome.subject)}`);
        onOutcome?.(outcome);
      },
    });
  };
}

/** The master here is asked; it asks the worker over their link. */
async function askPath(context: Context, worker: string, options: DoctorOptions): Promise<PathObject> {
  const { openFarm } = await import('./farm.ts');
  await using client = openFarm(context, options);
  const limits = { signal: context.signal, timeoutMs: PATH_MS };
  return await client.call('workerPath', { params: { worker } }, limits);
}

/** The same of other places. Throws BBX-USAGE where the worker goes everywhere through hops. */
async function askPlaces(
  context: Context,
  worker: string,
  places: readonly DialPlace[],
  options: DoctorOptions,
): Promise<PlacesObject> {
  const { openFarm } = await import('./farm.ts');
  await using client = openFarm(context, options);
  const limits = { signal: context.signal, timeoutMs: PATH_MS };
  if (places.length === 0) {
    await client.call('worker', { params: { worker } }, limits);
    return { worker, at: Date.now() / 1_000, places: [] };
  }
  const question = { params: { worker }, body: { places: [...places] } };
  const answer = await client.call('workerPlaces', question, limits);
  if (answer.places.length > 0 && answer.places.every((way) => way['behindHops'] === true))
    throw codes['BBX-USAGE']({
      problem: `Worker "${worker}" goes out through hops (via), so what it reaches cannot be tried alone`,
      hint: "On the worker's host, in its directory: bbx doctor source",
    });
  return answer;
}

function sayWhatIsAwaited(context: Context, waiting: ReadonlySet<string>): Disposable {
  if (context.json || !context.stderr.isTTY) return { [Symbol.dispose]: () => undefined };
  const started = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1_000);
    const names = [...waiting].slice(0, NAMED).join(', ');
    note(
      context,
      `Waiting for ${names}${waiting.size > NAMED ? ` and ${waiting.size - NAMED} more` : ''} (${seconds} s)`,
    );
  }, PATIENCE_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

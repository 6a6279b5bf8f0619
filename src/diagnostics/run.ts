import { sentences } from '../base/error.ts';
import type { Check, CheckContext, Draft, Judgement } from './check.ts';
import { isBehindHops, type Subject } from './subject.ts';

/** What one check said of one subject. `failed` bars the checks that need it. */
export interface Outcome {
  readonly check: Check;
  readonly subject: Subject;
  readonly status: 'ok' | 'info' | 'warn' | 'error' | 'skip' | 'unknown';
  readonly drafts: readonly Draft[];
  readonly because?: string;
  /** The check that it was skipped for. */
  readonly barredBy?: string;
  /** It crashed, or was not done in time. */
  readonly undecided?: true;
  readonly ms: number;
}

export interface RunOptions {
  checks: readonly Check[];
  context: CheckContext;
  /** Milliseconds for everything together; what is not done by then is `unknown`. */
  budgetMs: number;
  signal: AbortSignal;
  monotonic?: () => number;
  /** Called as each check begins to ask, for a progress line. */
  onStart?: (check: Check, subject: Subject) => void;
  /** Called as each check ends. */
  onOutcome?: (outcome: Outcome) => void;
}

const RANK = { error: 5, unknown: 4, warn: 3, info: 2, ok: 1, skip: 0 } as const;

/** The gravest of several statuses; `skip` where there is none. */
export function gravest(statuses: readonly Outcome['status'][]): Outcome['status'] {
  return statuses.reduce<Outcome['status']>(
    (worst, next) => (RANK[next] > RANK[worst] ? next : worst),
    'skip',
  );
}

/**
 * Asks every check of every subject of its kind, all at once; a check waits only for those it needs, and is skipped when one of them
 * failed. A crash is that check's own `unknown`. Never rejects but for an abort by `signal`, and ends by `budgetMs` however much hangs.
 */
export async function runChecks(options: RunOptions): Promise<Outcome[]> {
  const { checks, context, signal, monotonic = () => performance.now() } = options;
  const started = monotonic();
  const key = (id: string, subject: Subject) => `${id} ${context.subjects.indexOf(subject)}`;
  const running = new Map<string, Promise<Outcome>>();
  const pairs = checks.flatMap((check) =>
    context.subjects
      .filter((subject) => subject.kind === check.about)
      .filter((subject) => !isBehindHops(subject) || check.behindHops === true)
      .map((subject) => ({ check, subject })),
  );
  const needed = new Map(pairs.map(({ check, subject }) => [key(check.id, subject), { check, subject }]));
  const host = context.subjects.find((subject) => subject.kind === 'host');

  using timeUp = deadline(options.budgetMs, signal);

  const start = (check: Check, subject: Subject): Promise<Outcome> => {
    const name = key(check.id, subject);
    const already = running.get(name);
    if (already !== undefined) return already;
    const promise = settle(check, subject).then((outcome) => {
      options.onOutcome?.(outcome);
      return outcome;
    });
    running.set(name, promise);
    return promise;
  };

  const settle = async (check: Check, subject: Subject): Promise<Outcome> => {
    const needs = check.needs.flatMap((id) =>
      [needed.get(key(id, subject)), host === undefined ? undefined : needed.get(key(id, host))].filter(
        (pair) => pair !== undefined,
      ),
    );
    const barrier = (await Promise.all(needs.map((pair) => start(pair.check, pair.subject)))).find(
      (outcome) => outcome.status === 'error' || outcome.undecided === true || outcome.barredBy !== undefined,
    );
    const from = monotonic();
    const done = (rest: Pick<Outcome, 'status' | 'drafts'> & Partial<Outcome>): Outcome => ({
      check,
      subject,
      ms: Math.round(monotonic() - from),
      ...rest,
    });
    if (barrier !== undefined) {
      const id = barrier.barredBy ?? barrier.check.id;
      return done({ status: 'skip', drafts: [], because: id, barredBy: id });
    }
    options.onStart?.(check, subject);
    try {
      const judgement = await Promise.race([check.run(context, subject as never), timeUp.promise]);
      if (judgement === TIME_UP) {
        const seconds = Math.round((monotonic() - started) / 100) / 10;
        return done(undecided(check, `not answered within ${seconds} s`));
      }
      return done(weigh(judgement));
    } catch (error) {
      if (signal.aborted) throw error;
      return done(undecided(check, `the check itself failed: ${crashOf(error)}`));
    }
  };

  const outcomes = await Promise.all(pairs.map(({ check, subject }) => start(check, subject)));
  signal.throwIfAborted();
  return outcomes;
}

function weigh(judgement: Judgement): Pick<Outcome, 'status' | 'drafts' | 'because'> {
  if (judgement.drafts.length === 0 && judgement.skip !== undefined)
    return { status: 'skip', drafts: [], because: judgement.skip };
  return {
    status: judgement.drafts.length === 0 ? 'ok' : gravest(judgement.drafts.map((draft) => draft.status)),
    drafts: judgement.drafts,
  };
}

function undecided(check: Check, why: string): Pick<Outcome, 'status' | 'drafts' | 'because' | 'undecided'> {
  return {
    status: 'unknown',
    drafts: [{ status: 'unknown', title: `Not known: ${check.title} (${why})`, evidence: [] }],
    because: why,
    undecided: true,
  };
}

/** First sentence and the first place in the code, so that a report can be followed up. */
function crashOf(error: unknown): string {
  const place =
    error instanceof Error ? /\((?:.*\/)?(src\/[^)]*)\)|at (?:.*\/)(src\/\S+)/.exec(error.stack ?? '') : null;
  return `${sentences(error).join(': ')}${place === null ? '' : ` (${place[1] ?? place[2]})`}`;
}

const TIME_UP = Symbol('time up');

function deadline(ms: number, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<typeof TIME_UP>();
  const timer = setTimeout(() => resolve(TIME_UP), ms);
  const onAbort = () => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  promise.catch(() => undefined);
  return {
    promise,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

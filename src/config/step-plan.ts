import { stepPlan, type StepPlan } from '../build/plan.ts';
import type { WrittenStep } from './schema/steps.ts';

/** Longest name that is made from a command; longer ones would fill a page's table. */
const MADE_NAME_CHARACTERS = 50;

/** What a git step needs to know of its repository. */
export interface StepSource {
  url: string;
  credentials: { secret: string } | null;
}

/** What logs may hold where a step says nothing else, in bytes. */
export interface LogLimits {
  logMaxSize: number | null;
  logMaxTailSize: number;
}

/**
 * Steps as a plan carries them, with Buildbot's defaults. A checkout halts the build on failure, as Buildbot's source steps do.
 * Equal names get a number, as in Buildbot. `sourceOf` gives a repository by name, and the builder's for undefined.
 */
export function planSteps(
  steps: readonly WrittenStep[],
  sourceOf: (repository: string | undefined) => StepSource,
  logs: LogLimits,
): StepPlan[] {
  const taken = new Map<string, number>();
  return steps.map((step) => {
    const base = step.name ?? madeName(step);
    const count = taken.get(base) ?? 0;
    taken.set(base, count + 1);
    return plan(step, count === 0 ? base : `${base.slice(0, 120)}_${count}`, sourceOf, logs);
  });
}

function plan(
  step: WrittenStep,
  name: string,
  sourceOf: (repository: string | undefined) => StepSource,
  logs: LogLimits,
): StepPlan {
  const { git, run, timeout, maxTime, sigtermTime, env, logMaxSize, logMaxTailSize, ...rest } = step;
  const bytes = logMaxSize === undefined ? logs.logMaxSize : logMaxSize;
  const options = {
    ...rest,
    name,
    logMax: bytes === null ? null : { bytes, tailBytes: logMaxTailSize ?? logs.logMaxTailSize },
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(maxTime === undefined ? {} : { maxTimeMs: maxTime }),
    ...(sigtermTime === undefined ? {} : { sigtermTimeMs: sigtermTime }),
  };
  if (run !== undefined) return stepPlan.parse({ kind: 'shell', command: run, env: env ?? {}, ...options });
  const { repository, shallow, credentials, ...checkout } = git ?? {};
  const source = sourceOf(repository);
  return stepPlan.parse({
    kind: 'git',
    repository: source.url,
    ...checkout,
    shallow: typeof shallow === 'boolean' ? (shallow ? 1 : null) : (shallow ?? null),
    credentials: credentials ?? source.credentials,
    haltOnFailure: true,
    ...options,
  });
}

function madeName(step: WrittenStep): string {
  if (step.run === undefined) return 'git';
  const words = typeof step.run === 'string' ? (step.run.trim().split('\n')[0] ?? '') : step.run.join(' ');
  // A name is shown everywhere: no control characters, no unfilled properties.
  const clean = words
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll(/\$\{\{\s*([^}]*?)\s*\}\}/g, '$1')
    .trim();
  if (clean === '') return 'shell';
  return clean.length <= MADE_NAME_CHARACTERS ? clean : `${clean.slice(0, MADE_NAME_CHARACTERS - 1)}…`;
}

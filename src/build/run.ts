import type { Clock } from '../base/clock.ts';
import type { Secret } from '../base/secret.ts';
import { afterCancel, CANCEL_GRACE_MS } from './after-cancel.ts';
import type { CommandPort } from './command-port.ts';
import type { Journal } from './journal.ts';
import { createMask } from './mask.ts';
import { foldStep, type Outcome } from './outcome.ts';
import type { BuildPlan, Properties, StepPlan } from './plan.ts';
import { readPast } from './past.ts';
import type { ProgressEvent } from './progress.ts';
import { resultNumber, resultOf, worst, type Result } from './results.ts';
import { runStep } from './step.ts';

export interface RunOptions {
  port: CommandPort;
  journal: Journal;
  /** Values of the secrets that the plan names; they stay in memory and are masked in everything that the journal gets. */
  secrets: ReadonlyMap<string, Secret>;
  /** Absolute path of the build's directory, for `${{ workdir }}` and for the master to show. */
  workdir: string;
  clock: Clock;
  /** Cancels: the running step is ended, later ones run only with alwaysRun, for at most `cancelGraceMs`. */
  signal: AbortSignal;
  /** Ends everything at once, alwaysRun or not: an expired lease, a second SIGTERM. Give it together with or after `signal`. */
  stop?: AbortSignal | undefined;
  /** What the journal holds of this build already: the walk goes on behind it, and asks the port again for the step that had begun. */
  past?: readonly ProgressEvent[] | undefined;
  /** How long all alwaysRun steps together may take after a cancel; 60 s unless told otherwise. */
  cancelGraceMs?: number | undefined;
}

/**
 * Walks a plan over a port, with Buildbot's meaning of every step option, and tells the journal what happens, in order; a step's end is told
 * after its log is finished. Steps that are passed over leave no event.
 *
 * Gives the build's result. Rejects only when the journal rejects, with its reason, after the running command was ended.
 */
export async function runPlan(plan: BuildPlan, options: RunOptions): Promise<Result> {
  const { journal, clock, signal } = options;
  using late = afterCancel(signal, options.stop, options.cancelGraceMs ?? CANCEL_GRACE_MS);
  const mask = createMask(options.secrets);
  let properties: Properties = { ...plan.properties, workdir: options.workdir };
  let outcome: Outcome = { result: 'success', terminate: false };
  const ended: { name: string; result: Result }[] = [];

  const past = readPast(options.past ?? []);
  if (!past.begun) await journal.event({ type: 'buildStarted', at: clock.wall(), workdir: options.workdir });
  for (const [index, step] of plan.steps.entries()) {
    const before = past.finished.get(index);
    if (before !== undefined) {
      const result = resultOf(before.results) ?? 'exception';
      ended.push({ name: step.name, result });
      properties = { ...properties, ...before.properties };
      outcome = foldStep(step, result, outcome);
      continue;
    }
    const isOpen = past.open === index;
    if (late.ended.aborted && !isOpen) break;
    const cancelled = signal.aborted;
    if ((outcome.terminate || cancelled) && !step.alwaysRun && !isOpen) continue;
    const result = await walkStep(step, index, cancelled ? late.ended : late.cancelled);
    ended.push({ name: step.name, result });
    outcome = foldStep(step, result, outcome);
  }
  const stopped = signal.aborted || late.ended.aborted;
  const result = stopped ? worst(outcome.result, 'cancelled') : outcome.result;
  await journal.event({
    type: 'buildFinished',
    at: clock.wall(),
    results: resultNumber(result),
    state: mask.text(describeBuild(result, ended)),
  });
  return result;

  async function walkStep(step: StepPlan, index: number, stepSignal: AbortSignal): Promise<Result> {
    if (past.open !== index)
      await journal.event({ type: 'stepStarted', at: clock.wall(), step: index, name: step.name });
    const log = journal.log(index, 'stdio');
    const end = await runStep(step, {
      port: options.port,
      log,
      mask,
      secrets: options.secrets,
      env: plan.env,
      properties,
      clock,
      signal: stepSignal,
    });
    properties = { ...properties, ...end.properties };
    const finished = await log.finish();
    await journal.event({
      type: 'stepFinished',
      at: end.endedAt ?? clock.wall(),
      step: index,
      results: resultNumber(end.result),
      state: mask.text(end.state),
      logs: [{ name: 'stdio', ...finished, ...(end.cut > 0 ? { cut: end.cut } : {}) }],
      rc: end.rc,
      signal: end.signal,
      properties: end.properties,
    });
    return end.result;
  }
}

/** One line about a whole build: what went worst, and in which steps. */
function describeBuild(result: Result, steps: readonly { name: string; result: Result }[]): string {
  if (result === 'success' || result === 'skipped') return 'build successful';
  if (result === 'cancelled') return 'build cancelled';
  const guilty = steps.filter((step) => step.result === result).map((step) => step.name);
  // A warning that flunks is the one case where no step has the build's own result.
  const named =
    guilty.length > 0 ? guilty : steps.filter((step) => step.result !== 'success').map((step) => step.name);
  const verb = result === 'failure' ? 'failed' : result;
  return `${verb} ${named.join(', ')}`;
}

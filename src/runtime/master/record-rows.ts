import { advanceSequence } from '../../store/builds.ts';
import type { Tx } from '../../store/database.ts';
import { addWholeLog, completeLog, ensureLog, type WholeLog } from '../../store/logs.ts';
import { addEndedStep, finishOpenSteps, finishStep, startStep } from '../../store/steps.ts';
import { endBuild, tellEnd, type Ended } from './endings.ts';
import type { Emit } from './events.ts';
import type { LogIntake } from './logs.ts';
import { newsOf, type Item, type StepNews } from './record-news.ts';
import type { OpenLog, Running } from './running.ts';

/** A log that is compared, and on the disk unless it stands in its row, with what that will say. */
export interface ClosedLog extends WholeLog {
  log: OpenLog;
}

/** What is done in memory once the rows are committed. */
export interface Hears {
  after(act: () => void): void;
  /** Inside of the transaction: this build ends in it. */
  ends(build: Running): void;
  over(build: Running, ended: Ended | undefined): void;
  logs: Pick<LogIntake, 'placed' | 'kept' | 'wake'>;
}

/**
 * Writes items of one build as rows and events of a transaction, each row once. Events that are stored already change nothing: their numbers say so.
 * Memory is touched only through `hears.after`, so that a transaction which is rolled back leaves no trace.
 */
export async function writeItems(
  tx: Tx,
  emit: Emit,
  build: Running,
  items: readonly Item[],
  closed: readonly ClosedLog[],
  hears: Hears,
): Promise<void> {
  if (build.ended) return;
  const { buildid } = build;
  const news = newsOf(build, items);
  const { sequence, properties, end } = news;
  if (sequence > build.sequence && !(await advanceSequence(tx, buildid, build.sequence, sequence, news)))
    return;
  for (const step of news.steps) await writeStep(tx, emit, build, step, closed, hears);
  if (end !== undefined) {
    if (hasOpenSteps(build)) await finishOpenSteps(tx, buildid, end);
    const ended = await tellEnd(tx, emit, build, end);
    hears.ends(build);
    hears.after(() => hears.over(build, ended));
  }
  for (const ending of news.endings) {
    const ended = await endBuild(tx, emit, build, ending);
    if (ended !== undefined) hears.ends(build);
    hears.after(() => hears.over(build, ended));
  }
  hears.after(() => {
    if (properties !== undefined) build.properties = properties;
    build.sequence = sequence;
    build.session?.acknowledge(build.lease, { sequence });
  });
}

/** By all that its worker has said, of which what is written now may be a part. */
function hasOpenSteps({ course }: Running): boolean {
  for (const state of course.steps.values()) if (state === 'runs') return true;
  return false;
}

async function writeStep(
  tx: Tx,
  emit: Emit,
  build: Running,
  { number, begun, logs, end, results }: StepNews,
  closed: readonly ClosedLog[],
  hears: Hears,
): Promise<void> {
  const { buildid } = build;
  let stepid = build.steps.get(number)?.stepid;
  if (begun !== undefined) {
    const { name, at } = begun;
    stepid = await (end === undefined
      ? startStep(tx, { buildid, number, name, at })
      : addEndedStep(tx, { buildid, number, name, startedAt: at }, end));
    const row = { stepid, name };
    hears.after(() => build.steps.set(number, row));
    emit({ type: 'step.started', buildid, stepid, number, name });
  }
  if (stepid === undefined) throw new Error(`something of step ${number} came before its beginning`);
  const whole = end === undefined ? [] : closed.filter(({ log }) => log.step === number);
  for (const log of logs) {
    const its = whole.find((found) => found.log === log);
    const logid = await (its === undefined
      ? ensureLog(tx, stepid, log.name)
      : addWholeLog(tx, stepid, log.name, its));
    hears.after(() => hears.logs.placed(log, logid));
  }
  if (end === undefined) return;
  for (const { log, ...rest } of whole) if (!logs.includes(log)) await completeLog(tx, log.logid!, rest);
  if (begun === undefined) await finishStep(tx, stepid, end);
  emit({ type: 'step.finished', buildid, stepid, number, results });
  hears.after(() => {
    for (const { log } of whole) {
      log.recorded = true;
      hears.logs.kept(log);
      hears.logs.wake(log.logid!);
    }
  });
}

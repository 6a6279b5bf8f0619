import type { ProgressEvent } from '../../build/progress.ts';
import { resultOf } from '../../build/results.ts';
import { advanceSequence, beginBuild, mergeProperties } from '../../store/builds.ts';
import type { Tx } from '../../store/database.ts';
import { completeLog, ensureLog, type WholeLog } from '../../store/logs.ts';
import { finishStep, startStep } from '../../store/steps.ts';
import { endBuild, type Ended, type Ending } from './endings.ts';
import type { Emit } from './events.ts';
import type { LogIntake } from './logs.ts';
import type { OpenLog, Running } from './running.ts';

/** Longest texts of a worker that rows take: a step's name as plans have it, and words that fit on a page. */
const NAME_CHARS = 128;
const STATE_CHARS = 4_000;

/** Something about one build that is to be written, in the order in which it came. */
export type Item =
  | { kind: 'event'; sequence: number; event: ProgressEvent }
  | { kind: 'log'; log: OpenLog }
  | { kind: 'end'; ending: Ending };

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
 * Writes items of one build, in order, as rows and events of a transaction. Events that are stored already change nothing: their numbers say so.
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
  let { sequence } = build;
  for (const item of items) if (item.kind === 'event') sequence = Math.max(sequence, item.sequence);
  if (sequence > build.sequence && !(await advanceSequence(tx, build.buildid, build.sequence, sequence)))
    return;
  const steps = new Map(build.steps);
  /** Rows that this transaction has made. */
  const logids = new Map<OpenLog, number>();
  for (const item of items) {
    switch (item.kind) {
      case 'log': {
        const step = steps.get(item.log.step);
        if (step === undefined)
          throw new Error(`log "${item.log.name}" came before its step ${item.log.step}`);
        const logid = await ensureLog(tx, step.stepid, item.log.name);
        logids.set(item.log, logid);
        hears.after(() => hears.logs.placed(item.log, logid));
        break;
      }
      case 'end': {
        const ended = await endBuild(tx, emit, build, item.ending);
        if (ended !== undefined) hears.ends(build);
        hears.after(() => hears.over(build, ended));
        break;
      }
      case 'event':
        await writeEvent(tx, emit, build, item.event, { steps, logids, closed }, hears);
    }
  }
  hears.after(() => {
    build.sequence = sequence;
    for (const [number, step] of steps) build.steps.set(number, step);
    build.session?.acknowledge(build.lease, { sequence });
  });
}

/** What the transaction knows of its build. */
interface Written {
  steps: Map<number, { stepid: number; name: string }>;
  logids: ReadonlyMap<OpenLog, number>;
  closed: readonly ClosedLog[];
}

async function writeEvent(
  tx: Tx,
  emit: Emit,
  build: Running,
  event: ProgressEvent,
  { steps, logids, closed }: Written,
  hears: Hears,
): Promise<void> {
  const { buildid } = build;
  switch (event.type) {
    case 'buildStarted': {
      const found = { workdir: event.workdir };
      await beginBuild(tx, buildid, { ...build.properties, ...found });
      hears.after(() => (build.properties = { ...build.properties, ...found }));
      return;
    }
    case 'stepStarted': {
      const name = event.name.slice(0, NAME_CHARS);
      const stepid = await startStep(tx, { buildid, number: event.step, name, at: event.at });
      steps.set(event.step, { stepid, name });
      emit({ type: 'step.started', buildid, stepid, number: event.step, name });
      return;
    }
    case 'stepFinished': {
      const step = steps.get(event.step);
      if (step === undefined) throw new Error(`step ${event.step} ended before it began`);
      const own = closed.filter(({ log }) => log.step === event.step);
      for (const { log, ...end } of own) await completeLog(tx, logids.get(log) ?? log.logid!, end);
      const { rc, signal, at, results, step: number } = event;
      const state = event.state.slice(0, STATE_CHARS);
      const result = resultOf(results) ?? 'exception';
      await finishStep(tx, step.stepid, { result, state, rc, signal, at });
      await mergeProperties(tx, buildid, event.properties);
      emit({ type: 'step.finished', buildid, stepid: step.stepid, number, results });
      hears.after(() => {
        build.properties = { ...build.properties, ...event.properties };
        for (const { log } of own) {
          log.recorded = true;
          hears.logs.kept(log);
          hears.logs.wake(log.logid!);
        }
      });
      return;
    }
    case 'buildFinished': {
      const result = resultOf(event.results) ?? 'exception';
      const ended = await endBuild(tx, emit, build, {
        result,
        state: event.state.slice(0, STATE_CHARS),
        at: event.at,
        // A worker that gave up without the master's word (an orphan's deadline): nothing is known about the sources.
        again: result === 'retry' ? 'counted' : false,
      });
      if (ended !== undefined) hears.ends(build);
      hears.after(() => hears.over(build, ended));
    }
  }
}

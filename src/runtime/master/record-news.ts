import type { ProgressEvent } from '../../build/progress.ts';
import type { Properties } from '../../build/plan.ts';
import { resultOf } from '../../build/results.ts';
import type { BuildEnd, BuildNews } from '../../store/builds.ts';
import type { StepEnd } from '../../store/steps.ts';
import { endOf, type Ending } from './endings.ts';
import type { OpenLog, Running } from './running.ts';

/** Longest texts of a worker that rows take: a step's name as plans have it, and words that fit on a page. */
const NAME_CHARS = 128;
const STATE_CHARS = 4_000;

/** Something about one build that is to be written, in the order in which it came. */
export type Item =
  | { kind: 'event'; sequence: number; event: ProgressEvent }
  | { kind: 'log'; log: OpenLog }
  | { kind: 'end'; ending: Ending };

/** What items bring to a step; a small one begins and ends among them. */
export interface StepNews {
  number: number;
  begun: { name: string; at: number } | undefined;
  /** Logs that get their rows. */
  logs: OpenLog[];
  end: StepEnd | undefined;
  /** Its result as its worker told it. */
  results: number;
}

/** What items bring to a build. */
export interface News extends BuildNews {
  sequence: number;
  /** In the order in which they came. */
  steps: StepNews[];
  properties?: Properties;
  /** Its end by its worker's word that is the last one: written with all the rest. */
  end?: BuildEnd;
  /** Ends that need a look at the rows first, in their order. */
  endings: Ending[];
}

/** Sums up items, so that each row is written once for all that happened to it. */
export function newsOf(build: Running, items: readonly Item[]): News {
  const news: News = { sequence: build.sequence, steps: [], endings: [] };
  const steps = new Map<number, StepNews>();
  const stepOf = (number: number): StepNews => {
    let step = steps.get(number);
    if (step === undefined) {
      steps.set(number, (step = { number, begun: undefined, logs: [], end: undefined, results: 0 }));
      news.steps.push(step);
    }
    return step;
  };
  const learn = (more: Properties) =>
    (news.properties = { ...(news.properties ?? build.properties), ...more });
  for (const item of items) {
    if (item.kind === 'log') {
      stepOf(item.log.step).logs.push(item.log);
      continue;
    }
    if (item.kind === 'end') {
      news.endings.push(item.ending);
      continue;
    }
    const { event, sequence } = item;
    news.sequence = Math.max(news.sequence, sequence);
    switch (event.type) {
      case 'buildStarted':
        news.state = 'running';
        learn({ workdir: event.workdir });
        break;
      case 'stepStarted':
        stepOf(event.step).begun = { name: event.name.slice(0, NAME_CHARS), at: event.at };
        break;
      case 'stepFinished': {
        const { rc, signal, at, results } = event;
        const state = event.state.slice(0, STATE_CHARS);
        const end = { result: resultOf(results) ?? 'exception', state, rc, signal, at };
        Object.assign(stepOf(event.step), { end, results });
        if (Object.keys(event.properties).length > 0) learn(event.properties);
        break;
      }
      case 'buildFinished': {
        const ending: Ending = {
          result: resultOf(event.results) ?? 'exception',
          state: event.state.slice(0, STATE_CHARS),
          at: event.at,
          // A worker that gave up without the master's word (an orphan's deadline): nothing is known about the sources.
          again: resultOf(event.results) === 'retry' ? 'counted' : false,
        };
        if (ending.again === false && news.endings.length === 0) news.end = endOf(build, ending);
        else news.endings.push(ending);
      }
    }
  }
  return news;
}

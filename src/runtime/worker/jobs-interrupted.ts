import type { Clock } from '../../base/clock.ts';
import { resultNumber } from '../../build/results.ts';
import type { SpoolBuild } from './spool-build.ts';

/**
 * Ends a build whose walk broke off, in its journal, with what is known: the open step and the build as `as`, with a line in the
 * step's log. A build of which nothing had begun ends as `retry`: nothing ran, so it may simply run again.
 */
export async function endInterrupted(
  build: SpoolBuild,
  clock: Clock,
  why = 'the worker’s process ended while the build ran',
  as: 'exception' | 'retry' = 'exception',
): Promise<void> {
  const { journal } = build;
  let step: { index: number; name: string } | undefined;
  for (let number = 1; number <= build.sequence; number += 1) {
    const event = build.event(number);
    if (event.type === 'stepStarted') step = { index: event.step, name: event.name };
    if (event.type === 'stepFinished') step = undefined;
    if (event.type === 'buildFinished') return;
  }
  const result = resultNumber(as);
  if (step !== undefined) {
    const { index } = step;
    const logs = [];
    for (const log of build.logs.filter((one) => one.step === index)) {
      // Never held up: at the start of a worker with a full spool nobody is there yet to free it.
      await log.say(`\nbbx: ${why}; what this step did after this line is not known\n`);
      logs.push({ name: log.name, ...(await log.finish()) });
    }
    const ended = {
      results: result,
      state: `interrupted: ${why}`,
      rc: null,
      signal: null,
      properties: {},
    };
    await journal.event({ type: 'stepFinished', at: clock.wall(), step: index, logs, ...ended });
  }
  const results = build.sequence === 0 ? resultNumber('retry') : result;
  const state = step === undefined ? why : `${why}, in step "${step.name}"`;
  await journal.event({ type: 'buildFinished', at: clock.wall(), results, state });
}

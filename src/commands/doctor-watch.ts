import type { DoctorReport, Finding } from '../api/doctor.ts';
import { sleep } from '../base/abort.ts';
import { EXIT, type ExitCode } from '../base/exit.ts';
import { catalogue, selectChecks, type Selection } from '../diagnostics/catalogue.ts';
import type { Examined } from '../diagnostics/examine.ts';
import { exitOf } from '../diagnostics/report.ts';
import { createWatch, type Transition } from '../diagnostics/watch.ts';
import { dress } from './doctor-answer.ts';
import { createLines } from './doctor-lines.ts';
import type { Look } from './doctor-run.ts';
import type { DoctorOptions } from './doctor-options.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { printable } from './terminal/printable.ts';
import { styleOf } from './terminal/print.ts';
import { writeOut } from './terminal/stream.ts';

/** Between the end of a round and the beginning of the next. */
const PAUSE_MS = 3_000;
/** Worse first. */
const WORST: readonly ExitCode[] = [EXIT.failed, EXIT.unknown, EXIT.warnings, EXIT.ok];

/**
 * `--watch`: looks again and again and tells what appears and clears, until Ctrl-C, `--for`, or, with `--until-ok`, until all is well. Ends
 * with the exit code of the worst state that it told; with `--until-ok` with 0, or 124 when it did not come in time.
 */
export async function watchDoctor(
  context: Context,
  look: Look,
  words: readonly string[],
  selection: Selection,
  options: DoctorOptions,
): Promise<void> {
  const started = performance.now();
  const limit = options.for ?? Number.POSITIVE_INFINITY;
  const watch = createWatch(selectChecks(selection).map(({ id }) => id));
  const lines = options.jsonl === true || context.json ? createLines(context) : undefined;
  let worst: ExitCode = EXIT.ok;
  try {
    for (let round = 0; ; round += 1) {
      const asked = watch.due();
      const examined = await look(asked === undefined ? undefined : { only: asked });
      const transitions = watch.take(examined, asked, performance.now());
      const answered = dress(context, examined, words, options);
      if (round === 0) {
        if (options.report !== undefined) {
          const failed = await answered.keep(options.report);
          if (failed !== undefined) throw failed;
        }
        if (lines === undefined) await writeOut(context, `${answered.text(options.report)}\n`);
        else lines.write({ type: 'report', ...answered.report });
      }
      for (const transition of transitions) {
        const told = answered.disguise({ at: new Date().toISOString(), finding: transition.finding });
        if (lines === undefined)
          await writeOut(context, `${sentenceOf(context, transition, printable(told))}\n`);
        else lines.write({ type: transition.type, ...told });
      }
      await lines?.flush();
      const state = exitOfState(examined, watch.state(), options);
      worst = WORST.find((code) => code === worst || code === state) ?? worst;
      if (options.untilOk === true && state === EXIT.ok) return;
      if (performance.now() - started + PAUSE_MS > limit) break;
      await sleep(PAUSE_MS, context.signal);
    }
  } catch (error) {
    // Ctrl-C is how a watch ends.
    if (!context.signal.aborted || error instanceof Outcome) throw error;
  }
  if (options.untilOk === true && !context.signal.aborted) throw new Outcome(EXIT.timeLimit);
  if (worst !== EXIT.ok) throw new Outcome(worst);
}

/** `12:04:11  appeared  ✗ …  PTH-04 ci.example:9989`. */
function sentenceOf(
  context: Context,
  { type }: Transition,
  { at, finding }: { at: string; finding: Finding },
): string {
  const { paint } = styleOf(context);
  const colour = type === 'cleared' ? paint.green : finding.status === 'error' ? paint.red : paint.yellow;
  const time = context.stdout.isTTY ? at.slice(11, 19) : at;
  return `${time}  ${colour(type.padEnd(8))}  ${finding.status.padEnd(7)}  ${finding.id}  ${finding.target}: ${finding.title}`;
}

/** The exit code of what is there by now, which may have been found in different rounds. */
function exitOfState(examined: Examined, findings: Finding[], options: DoctorOptions): ExitCode {
  const report: DoctorReport = { ...examined.report, findings };
  const isRung = (id: string) => catalogue.find((check) => check.id === id)?.rung !== undefined;
  const mustKnow = findings.some(({ id, status }) => status === 'unknown' && isRung(id));
  return exitOf(
    { ...examined, report, mustKnow },
    { strict: options.strict === true, failOn: options.failOn ?? 'error' },
  );
}

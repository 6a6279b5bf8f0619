import type { Outcome as CheckOutcome } from '../diagnostics/run.ts';
import { nameOf } from '../diagnostics/subject.ts';
import { dress, endWith } from './doctor-answer.ts';
import type { Look } from './doctor-run.ts';
import type { DoctorOptions } from './doctor-options.ts';
import type { Context } from './terminal/context.ts';
import { writeOut } from './terminal/stream.ts';

/** Version of the lines of `--jsonl`. */
const LINES_VERSION = 1;

/** Writes lines of JSON to stdout one after another, however fast they come. */
export interface Lines {
  write(line: { type: string } & object): void;
  /** Waits until all is written. Rejects with what went wrong in between. */
  flush(): Promise<void>;
}

/** Opens the stream of `--jsonl`. */
export function createLines(context: Context): Lines {
  let queue = Promise.resolve();
  return {
    write({ type, ...rest }) {
      const line = `${JSON.stringify({ type, v: LINES_VERSION, ...rest })}\n`;
      queue = queue.then(() => writeOut(context, line));
      // `flush` tells it; until then it must not count as unhandled.
      queue.catch(() => undefined);
    },
    flush: () => queue,
  };
}

/**
 * `--jsonl`: a line for each check as it answers, then the report in one line, and its exit code. What is to be shared waits for the end, when
 * all names are known.
 */
export async function streamDoctor(
  context: Context,
  createLook: (onOutcome: (outcome: CheckOutcome) => void) => Look,
  words: readonly string[],
  options: DoctorOptions,
): Promise<void> {
  const lines = createLines(context);
  const late: CheckOutcome[] = [];
  const look = createLook((outcome) => {
    if (options.share === true) late.push(outcome);
    else lines.write(checkLine(outcome));
  });
  const examined = await look();
  const answered = dress(context, examined, words, options);
  for (const outcome of late) lines.write(answered.disguise(checkLine(outcome)));
  lines.write({ type: 'report', ...answered.report });
  const failed = options.report === undefined ? undefined : await answered.keep(options.report);
  await lines.flush();
  endWith(examined, options, failed);
}

/** The line of a check that has answered, before effects are put under their causes. */
function checkLine({ check, subject, status, because, ms }: CheckOutcome) {
  return {
    type: 'check',
    id: check.id,
    target: nameOf(subject),
    status,
    ...(because === undefined ? {} : { because }),
    ms,
  };
}

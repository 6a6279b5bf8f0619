import { printDuration } from '../base/duration.ts';
import { EXIT, type ExitCode } from '../base/exit.ts';
import type { Result } from '../build/results.ts';
import type { Client } from '../client/client.ts';
import { watchRequest, type Happening } from '../client/watch.ts';
import { buildTitle } from '../build/title.ts';
import { codes } from './terminal/codes.ts';
import { Interrupted, type Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { styleOf, type Style } from './terminal/print.ts';
import { printable } from './terminal/printable.ts';
import { createProgress, type Progress } from './terminal/progress.ts';
import { writeOut } from './terminal/stream.ts';
import { resultWord, sourceWords, tookWords } from './words.ts';

/** Version of the JSON Lines that a followed build gives. */
const LINES_VERSION = 1;

/** The exit code that stands for a build's result; of a build without one, that it is not known. */
export function exitOfResult(result: Result | null): ExitCode {
  switch (result) {
    case 'success':
    case 'warnings':
    case 'skipped':
      return EXIT.ok;
    case 'failure':
      return EXIT.failed;
    case 'cancelled':
      return EXIT.cancelled;
    case 'exception':
    case 'retry':
      return EXIT.infrastructure;
    case null:
      return EXIT.unknown;
  }
}

/**
 * Follows a request (or one build of it, `until`) with its steps on stderr, or as JSON Lines on stdout, and ends by throwing the `Outcome` of its
 * result. Its next commands end with `at` (` --dir DIR`). Ctrl-C and the time limit end the watching only; both say that the build goes on.
 */
export async function follow(
  context: Context,
  client: Client,
  request: number,
  options: { until?: number; waitLimitMs?: number | undefined; at?: string },
): Promise<never> {
  const limit =
    options.waitLimitMs === undefined
      ? new AbortController().signal
      : AbortSignal.timeout(options.waitLimitMs);
  const signal = AbortSignal.any([context.signal, limit]);
  using progress = createProgress(context);
  const style = styleOf({ ...context, stdout: context.stderr });
  const { at = '' } = options;
  let name = `r${request}`;
  let result: Result | null = null;
  try {
    const watched = watchRequest(client, request, {
      signal,
      ...(options.until === undefined ? {} : { until: options.until }),
    });
    for await (const happening of watched) {
      if (context.json) await writeOut(context, `${JSON.stringify(lineOf(happening))}\n`);
      else tell(happening, progress, style, at);
      if ('build' in happening && happening.build !== undefined) name = buildTitle(happening.build);
      if (happening.type === 'build.finished') result = happening.build.result;
      if (happening.type === 'request.finished') result = happening.request.result;
    }
  } catch (error) {
    progress.stop();
    if (context.signal.aborted) {
      progress.line(`Stopped watching; ${name} goes on. See: bbx build watch ${name}${at}`);
      throw new Interrupted();
    }
    if (limit.aborted && options.waitLimitMs !== undefined) {
      throw codes['BBX-WAIT-LIMIT']({
        what: `${name} to end; it goes on`,
        limit: printDuration(options.waitLimitMs),
        hint: `Go on: bbx build watch ${name}${at}; stop it: bbx build cancel ${name}${at}`,
      });
    }
    throw error;
  }
  throw new Outcome(exitOfResult(result));
}

function lineOf(happening: Happening): object {
  const { type, ...rest } = happening;
  // The build stands in the lines about itself; a step's line names it.
  if ('step' in happening) {
    const { build, step } = happening;
    return { type, v: LINES_VERSION, buildid: build.buildid, build: buildTitle(build), step };
  }
  if (happening.type === 'request.finished') {
    const { request, build } = happening;
    return { type, v: LINES_VERSION, request, buildid: build?.buildid ?? null };
  }
  return { type, v: LINES_VERSION, ...rest };
}

function tell(raw: Happening, progress: Progress, style: Style, at: string): void {
  const happening = printable(raw);
  const { paint } = style;
  switch (happening.type) {
    case 'request.waiting': {
      const { request } = happening;
      progress.wait(
        `r${request.buildrequestid} waits for a worker; see: bbx why r${request.buildrequestid}${at}`,
      );
      break;
    }
    case 'build.started': {
      const { build } = happening;
      const source = sourceWords(build, style);
      progress.line(
        `${paint.bold(buildTitle(build))} on ${build.worker}${source === '-' ? '' : `, ${source}`}`,
      );
      progress.wait(`${buildTitle(build)} starts`);
      break;
    }
    case 'step.started':
      progress.wait(`step ${happening.step.number} ${happening.step.name}`);
      break;
    case 'step.finished': {
      const { step } = happening;
      const state = step.result === 'success' ? '' : `: ${step.state_string}`;
      progress.line(
        `  ${step.number} ${step.name}  ${resultWord(style, step.result)}${state}  ${paint.dim(tookWords(step))}`,
      );
      progress.wait(undefined);
      break;
    }
    case 'build.finished': {
      const { build } = happening;
      progress.wait(undefined);
      progress.line(
        `${paint.bold(buildTitle(build))} ${resultWord(style, build.result)} after ${tookWords(build)}` +
          (build.result === 'success' ? '' : `: ${build.state_string}`),
      );
      const red = build.steps?.find(({ result }) => result === 'failure' || result === 'exception');
      if (red !== undefined && red.logs.length > 0) {
        progress.line(`Its log: bbx build log ${buildTitle(build)} --step ${red.number}${at}`);
      }
      if (build.result === 'retry') progress.wait('the next try waits for a worker');
      break;
    }
    case 'request.finished':
      if (happening.build === undefined) {
        progress.line(
          `r${happening.request.buildrequestid} ${resultWord(style, happening.request.result)} without a build`,
        );
      }
      break;
    case 'link.lost':
      progress.line(paint.yellow(`${happening.message}; builds go on, waiting until it is back`));
      progress.wait('the master is away');
      break;
    case 'link.back':
      progress.line('The master is back');
      progress.wait(undefined);
      break;
  }
}

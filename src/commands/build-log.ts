import type { BuildObject, LogObject, StepObject } from '../api/objects.ts';
import type { Client } from '../client/client.ts';
import { watchRequest } from '../client/watch.ts';
import { buildName, buildOf, openFarm, type DirOptions } from './farm.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { note, styleOf } from './terminal/print.ts';
import { printable } from './terminal/printable.ts';
import { createTerminalFilter } from './terminal/terminal-filter.ts';
import { writeOut } from './terminal/stream.ts';
import { buildTitle, resultWord, tookWords } from './words.ts';

export interface LogOptions extends DirOptions {
  follow?: boolean;
  step?: string;
  raw?: boolean;
}

/** Version of the JSON Lines of `build log --json`. */
const LINES_VERSION = 1;

/** Prints the logs of a build's steps in their order; with `follow` as they come, until the build ends. */
export async function printLog(context: Context, text: string, options: LogOptions): Promise<void> {
  const name = buildName(text);
  await using client = openFarm(context, options);
  const { signal } = context;
  const build = await client.call(
    'build',
    { params: { build: await buildOf(client, context, name) } },
    { signal },
  );
  const printer = createPrinter(context, client, options);
  if (options.follow !== true || build.complete) {
    const steps = (build.steps ?? []).filter((step) => wanted(step, options.step));
    if (options.step !== undefined && steps.length === 0) throw noStep(build, options.step);
    for (const step of steps) await printer.step(build, step);
    if (!build.complete) note(context, `${buildTitle(build)} still runs; follow it with -f`);
    return;
  }
  let seen = false;
  for await (const happening of watchRequest(client, build.buildrequestid, {
    signal,
    until: build.buildid,
  })) {
    if (!('build' in happening) || happening.build?.buildid !== build.buildid) continue;
    // A log is there once its step has started; following it ends with the step.
    if (happening.type === 'step.started' && wanted(happening.step, options.step)) {
      seen = true;
      await printer.step(happening.build, happening.step);
    }
    if (happening.type === 'build.finished' && !seen && options.step !== undefined) {
      throw noStep(happening.build, options.step);
    }
  }
}

function wanted(step: StepObject, which: string | undefined): boolean {
  return which === undefined || step.name === which || String(step.number) === which;
}

function noStep(build: BuildObject, step: string): Error {
  const names = (build.steps ?? []).map(({ number, name }) => `${number} ${name}`);
  return codes['BBX-API-NO-STEP']({ build: buildTitle(build), step, names });
}

/** Writes one step after the other to stdout in the form that the flags ask for. */
function createPrinter(
  context: Context,
  client: Client,
  { raw = false, follow = false, step: only }: LogOptions,
) {
  const { signal } = context;

  const logsOf = async (build: BuildObject, step: StepObject): Promise<readonly LogObject[]> => {
    if (step.logs.length > 0 || !follow) return step.logs;
    const params = { build: String(build.buildid), step: String(step.number) };
    // The log's row comes with its first bytes: wait for the step's end or for them.
    for await (const happening of watchRequest(client, build.buildrequestid, {
      signal,
      until: build.buildid,
    })) {
      const now = await client.call('step', { params }, { signal });
      if (now.logs.length > 0 || now.complete || happening.type === 'build.finished') return now.logs;
    }
    return [];
  };

  const write = async (build: BuildObject, step: StepObject, log: LogObject) => {
    let lost = false;
    const bytes = client.log({
      build: String(build.buildid),
      title: buildTitle(build),
      step: String(step.number),
      log: log.name,
      follow,
      channels: raw ? 'output' : 'all',
      signal,
      onBreak(error) {
        if (!lost) note(context, `${error.message}; waiting until it is back`);
        lost = true;
      },
    });
    const back = () => {
      if (lost) note(context, 'The master is back');
      lost = false;
    };
    if (context.json) return writeLines(context, build, step, log, bytes);
    const filter = raw || !context.stdout.isTTY ? undefined : createTerminalFilter();
    let last: number | undefined;
    for await (const chunk of bytes) {
      back();
      const shown = filter === undefined ? chunk : filter.push(chunk);
      if (shown.length === 0) continue;
      last = shown.at(-1);
      await writeOut(context, shown);
    }
    // The next header begins on its own line.
    if (!raw && last !== undefined && last !== 0x0a) await writeOut(context, '\n');
  };

  return {
    async step(build: BuildObject, step: StepObject): Promise<void> {
      const logs = await logsOf(build, step);
      if (!raw && !context.json && only === undefined) await writeOut(context, `${header(context, step)}\n`);
      for (const log of logs) {
        if (log.pruned) note(context, `Log "${log.name}" of step ${step.number} was removed by retention`);
        else await write(build, step, log);
      }
    },
  };
}

function header(context: Context, raw: StepObject): string {
  const step = printable(raw);
  const style = styleOf(context);
  const state = step.complete ? `${resultWord(style, step.result)}, ${tookWords(step)}` : 'running';
  return style.paint.bold(`=== ${step.number} ${step.name}`) + `  ${state}`;
}

async function writeLines(
  context: Context,
  build: BuildObject,
  step: StepObject,
  log: LogObject,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  const about = { buildid: build.buildid, build: buildTitle(build), step: step.number, log: log.name };
  const line = (rest: object) =>
    writeOut(context, `${JSON.stringify({ type: 'log', v: LINES_VERSION, ...about, ...rest })}\n`);
  let pending = Buffer.alloc(0);
  const give = (part: Buffer) => {
    const text = part.toString('utf8');
    return Buffer.from(text, 'utf8').equals(part)
      ? line({ text })
      : line({ base64: part.toString('base64') });
  };
  for await (const chunk of bytes) {
    pending = Buffer.concat([pending, chunk]);
    // Whole lines only, so that no character is cut in two; but never wait for an end that does not come.
    const end = pending.length > MAX_LINE_BYTES ? pending.length : pending.lastIndexOf(0x0a) + 1;
    if (end === 0) continue;
    await give(pending.subarray(0, end));
    pending = pending.subarray(end);
  }
  if (pending.length > 0) await give(pending);
}

/** Most that is held back for a line's end. */
const MAX_LINE_BYTES = 65_536;

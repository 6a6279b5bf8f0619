import type { BuildObject, LogObject, StepObject } from '../api/objects.ts';
import type { Client } from '../client/client.ts';
import { watchRequest } from '../client/watch.ts';
import { buildTitle } from '../build/title.ts';
import { buildName, buildOf, openFarm, type DirOptions } from './farm.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { note, styleOf } from './terminal/print.ts';
import { printable } from './terminal/printable.ts';
import { createTerminalFilter } from './terminal/terminal-filter.ts';
import { writeOut } from './terminal/stream.ts';
import { cutWords, missingWords, receiptWords } from './log-receipt.ts';
import { writeLogLines } from './log-lines.ts';
import { verifyLogs } from './log-verify.ts';
import { resultWord, tookWords } from './words.ts';

export interface LogOptions extends DirOptions {
  follow?: boolean;
  step?: string;
  raw?: boolean;
  verify?: boolean;
}

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
  if (options.verify === true) {
    const steps = (build.steps ?? []).filter((step) => wanted(step, options.step));
    if (options.step !== undefined && steps.length === 0) throw noStep(build, options.step);
    await verifyLogs(context, client, build, steps);
    return;
  }
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
    const pieces = client.pieces({
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
    if (context.json) return writeLogLines(context, build, step, log, pieces);
    const filter = raw || !context.stdout.isTTY ? undefined : createTerminalFilter();
    let last: number | undefined;
    for await (const piece of pieces) {
      back();
      if ('lost' in piece) {
        const words = missingWords(piece);
        // Exactly what the command wrote is what --raw gives: what is missing is told beside it.
        if (raw) note(context, `At byte ${piece.offset}: ${words}`);
        else await writeOut(context, `${last === undefined || last === 0x0a ? '' : '\n'}${words}\n`);
        last = 0x0a;
        continue;
      }
      const shown = filter === undefined ? piece.data : filter.push(piece.data);
      if (shown.length === 0) continue;
      last = shown.at(-1);
      await writeOut(context, shown);
    }
    // The next header begins on its own line.
    if (!raw && last !== undefined && last !== 0x0a) await writeOut(context, '\n');
    if (context.stderr.isTTY) await sayReceipt(build, step, log);
    // The words in the log that say so are not the command's.
    else if (raw) await sayCut(build, step, log);
  };

  /** The log as it is at its end; one that was followed is complete by now. */
  const atEnd = async (build: BuildObject, step: StepObject, log: LogObject): Promise<LogObject> => {
    const params = { build: String(build.buildid), step: String(step.number) };
    return log.complete ? log : newest(await client.call('step', { params }, { signal }), log);
  };

  const sayCut = async (build: BuildObject, step: StepObject, log: LogObject) => {
    const { cut } = await atEnd(build, step, log);
    if (cut > 0) note(context, cutWords(cut));
  };

  const sayReceipt = async (build: BuildObject, step: StepObject, log: LogObject) => {
    const words = receiptWords(await atEnd(build, step, log));
    if (words !== undefined) note(context, styleOf(context).paint.dim(`-- ${words}`));
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

/** The same log as a later answer has it. */
function newest(step: StepObject, log: LogObject): LogObject {
  return step.logs.find(({ logid }) => logid === log.logid) ?? log;
}

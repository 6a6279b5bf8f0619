import type { Clock } from '../base/clock.ts';
import { sentences } from '../base/error.ts';
import type { Secret } from '../base/secret.ts';
import { codes } from './codes.ts';
import type { Command, CommandPort, CommandResult } from './command-port.ts';
import type { LogWriter } from './journal.ts';
import { createStepOutput, type StepOutput } from './step-output.ts';
import type { Mask } from './mask.ts';
import type { EnvValue, Properties, StepPlan } from './plan.ts';
import { interpolate } from './properties.ts';
import type { Result } from './results.ts';
import { describeEnd, describeStart, describeStep } from './step-words.ts';

export interface StepContext {
  port: CommandPort;
  log: LogWriter;
  mask: Mask;
  secrets: ReadonlyMap<string, Secret>;
  /** The build's environment; the step's own goes over it. */
  env: Readonly<Record<string, EnvValue>>;
  properties: Properties;
  clock: Clock;
  signal: AbortSignal;
}

export interface StepEnd {
  result: Result;
  state: string;
  rc: number | null;
  signal: string | null;
  properties: Properties;
  /** Bytes of its output that are not in the log, by the log's limit. */
  cut: number;
  /** Wall time of the command's end, where it was over before anybody asked for it. */
  endedAt?: number;
}

/** Runs one step and writes its log. Rejects only when the log cannot be written; every other trouble is a result. */
export async function runStep(step: StepPlan, context: StepContext): Promise<StepEnd> {
  const output = createStepOutput(context.log, context.mask, step.logMax);
  let command: Command;
  try {
    command = fillIn(step, context);
  } catch (error) {
    await output.header(`${sentences(error).join(': ')}\n`);
    return exception(step);
  }
  await output.header(
    describeStart(step, command, shownEnv(step, context.env, command), context.mask.tooShort),
  );
  const { clock } = context;
  const started = clock.monotonic();
  const ended = withoutSecrets(await runCommand(command, context, output), context.mask);
  if (ended === undefined) return exception(step, command, output.cut);
  const endedAt = clock.wall() - (ended.agoMs ?? 0) / 1000;
  if (ended.told !== true)
    await output.header(describeEnd(ended, step, ended.tookMs ?? clock.monotonic() - started));
  const result = resultOfCommand(step, ended);
  return {
    result,
    state: describeStep(step, command, result, ended),
    rc: ended.rc,
    signal: ended.signal,
    properties: ended.properties ?? {},
    cut: output.cut + (ended.cut ?? 0),
    ...((ended.agoMs ?? 0) > 0 ? { endedAt } : {}),
  };
}

/** The command's end, or undefined after a fault of the port, which is told in the log. */
async function runCommand(
  command: Command,
  context: StepContext,
  output: StepOutput,
): Promise<CommandResult | undefined> {
  const { port, signal } = context;
  let ended: CommandResult | undefined;
  let fault: unknown;
  try {
    ended = await port.run(command, { signal, onOutput: output.onOutput, into: context.log.place });
  } catch (error) {
    fault = error;
  }
  // A log that cannot be written is no end of a step: that ends the whole walk.
  await output.settle();
  if (ended === undefined) await output.header(`cannot run the command: ${sentences(fault).join(': ')}\n`);
  return ended;
}

/** A step's result, by its exit code and `decodeRC`; a command ended from outside or by a signal has no code to decode. */
function resultOfCommand(step: StepPlan, ended: CommandResult): Result {
  switch (ended.ended) {
    case 'cancelled':
      return 'cancelled';
    case 'lost':
      return 'retry';
    case 'notStarted':
      return 'exception';
    case 'signal':
    case 'timeout':
    case 'maxTime':
      return 'failure';
    case 'exit': {
      const decoded = step.kind === 'shell' ? step.decodeRC[String(ended.rc)] : undefined;
      return decoded ?? (ended.rc === 0 ? 'success' : 'failure');
    }
  }
}

/** Its words are masked before anything shortens them: a part of a secret would not be known as one. */
function withoutSecrets(ended: CommandResult | undefined, mask: Mask): CommandResult | undefined {
  return ended?.why === undefined ? ended : { ...ended, why: mask.text(ended.why) };
}

function exception(step: StepPlan, command?: Command, cut = 0): StepEnd {
  const state = describeStep(step, command, 'exception', undefined);
  return { result: 'exception', state, rc: null, signal: null, properties: {}, cut };
}

/** The command as the port gets it. Throws for a property or a secret that is not there. */
function fillIn(step: StepPlan, context: StepContext): Command {
  const { properties, secrets } = context;
  const fillEnv = (env: Readonly<Record<string, EnvValue>>) =>
    Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        typeof value === 'string' ? interpolate(value, properties) : reveal(value.secret, secrets),
      ]),
    );
  if (step.kind === 'git') {
    const credentials = step.credentials === null ? null : reveal(step.credentials.secret, secrets);
    return { kind: 'git', step, env: fillEnv(context.env), credentials };
  }
  return {
    kind: 'shell',
    // Text is never interpolated: a branch named `;rm -rf .` would be run.
    command:
      typeof step.command === 'string'
        ? step.command
        : step.command.map((word) => interpolate(word, properties)),
    env: fillEnv({ ...context.env, ...step.env }),
    workdir: step.workdir,
    timeoutMs: step.timeoutMs,
    maxTimeMs: step.maxTimeMs,
    sigtermTimeMs: step.sigtermTimeMs,
    logMax: step.logMax,
  };
}

/** The environment as a log may show it: a secret by its name's presence only, as quoting would hide its value from the mask. */
function shownEnv(
  step: StepPlan,
  buildEnv: Readonly<Record<string, EnvValue>>,
  command: Command,
): Record<string, string> {
  const planned = step.kind === 'shell' ? { ...buildEnv, ...step.env } : buildEnv;
  return Object.fromEntries(
    Object.entries(command.env).map(([name, value]) => [
      name,
      typeof planned[name] === 'string' ? value : '***',
    ]),
  );
}

function reveal(name: string, secrets: ReadonlyMap<string, Secret>): string {
  const secret = secrets.get(name);
  if (secret === undefined) throw codes['BBX-BLD-SECRET']({ name });
  return secret.reveal();
}

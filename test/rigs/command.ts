import { PassThrough } from 'node:stream';
import { createProgram } from '../../src/commands/program.ts';
import type { Context } from '../../src/commands/terminal/context.ts';
import { report } from '../../src/commands/terminal/exit.ts';

export interface CommandRun {
  code: number;
  stdout: string;
  stderr: string;
  /** stdout parsed: one JSON value, or JSON Lines. */
  json: () => unknown;
  lines: () => unknown[];
}

/** Runs a command line inside the test's process: same tree, same printing, same exit code as `bin/bbx`, without its start. */
export async function command(
  args: readonly string[],
  options: { cwd: string; terminal?: boolean; env?: Record<string, string>; signal?: AbortSignal },
): Promise<CommandRun> {
  const { cwd, terminal = false, env = {}, signal = new AbortController().signal } = options;
  const stdout = sink(terminal);
  const stderr = sink(terminal);
  const context: Context = {
    env,
    cwd,
    stdin: process.stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    json: args.includes('--json'),
    interactive: false,
    color: false,
    signal,
    releaseSignals: () => undefined,
  };
  let code = 0;
  try {
    await createProgram(context).parseAsync([...args], { from: 'user' });
  } catch (error) {
    code = report(error, context);
  }
  return {
    code,
    stdout: stdout.text(),
    stderr: stderr.text(),
    json: () => JSON.parse(stdout.text()),
    lines: () =>
      stdout
        .text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
  };
}

function sink(terminal: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const chunks: Buffer[] = [];
  const through = new PassThrough();
  through.on('data', (chunk: Buffer) => chunks.push(chunk));
  const stream = Object.assign(through, { isTTY: terminal, columns: 100 });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => Buffer.concat(chunks).toString() };
}

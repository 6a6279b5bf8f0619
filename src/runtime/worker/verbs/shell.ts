import type { CommandResult, ShellCommand } from '../../../build/command-port.ts';
import { BbxError } from '../../../base/error.ts';
import { asResult, type VerbContext } from './context.ts';
import { resolveWorkdir } from '../workspace.ts';

/** Runs a shell step: text by `/bin/sh -c`, exactly as written, a list directly. */
export async function runShell(command: ShellCommand, context: VerbContext): Promise<CommandResult> {
  let cwd: string;
  try {
    cwd = await resolveWorkdir(context.root, command.workdir, context.identity);
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    await context.say(error.message);
    return { ended: 'notStarted', rc: null, signal: null };
  }
  const end = await context.run({
    command: typeof command.command === 'string' ? ['/bin/sh', '-c', command.command] : command.command,
    cwd,
    scratch: context.scratch,
    env: { ...context.env, PWD: cwd, ...command.env },
    timeoutMs: command.timeoutMs,
    maxTimeMs: command.maxTimeMs,
    sigtermTimeMs: command.sigtermTimeMs,
  });
  return asResult(end);
}

import { createHash } from 'node:crypto';
import { buildPlan, type GitStep } from '../../src/build/plan.ts';
import type {
  Channel,
  Command,
  CommandPort,
  CommandResult,
  ShellCommand,
} from '../../src/build/command-port.ts';
import type { Identity } from '../../src/exec/identity.ts';
import type { GitRoute } from '../../src/net/git-routes.ts';
import { createLocalPort } from '../../src/runtime/worker/local-port.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/worker/workspace.ts';
import { tempDir } from './temp-dir.ts';

/** A local port with a workspace of its own in an empty directory. */
export async function localPort(
  options: { identity?: Identity | null; env?: Record<string, string>; openRoute?: () => GitRoute } = {},
): Promise<{ port: CommandPort; workspace: Workspace; builds: string } & AsyncDisposable> {
  const { identity = null, env = {}, openRoute } = options;
  const dir = await tempDir();
  const builds = `${dir.path}/worker/builds`;
  const workspace = await openWorkspace({ builds, builddir: 'linux', identity });
  const port = createLocalPort({
    ...workspace,
    identity,
    env: { PATH: process.env['PATH'], ...env },
    openRoute,
  });
  return {
    port,
    workspace,
    builds,
    async [Symbol.asyncDispose]() {
      await workspace[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

export function shellCommand(
  command: string | readonly string[],
  options: Partial<ShellCommand> = {},
): ShellCommand {
  const limits = { timeoutMs: 10_000, maxTimeMs: 20_000, sigtermTimeMs: 500 };
  return { kind: 'shell', command, env: {}, workdir: '.', ...limits, ...options };
}

export function gitCommand(
  step: Partial<GitStep> & { repository: string },
  credentials: string | null = null,
): Command {
  const plan = buildPlan.parse({
    builder: 'b',
    number: 1,
    builddir: 'b',
    steps: [{ kind: 'git', name: 'git', ...step }],
  });
  return { kind: 'git', step: plan.steps[0] as GitStep, env: {}, credentials };
}

/** Runs one command and gives its end with all that it said. */
export async function runOn(
  port: CommandPort,
  command: Command,
  signal: AbortSignal = new AbortController().signal,
): Promise<CommandResult & { stdout: string; stderr: string; header: string; sha256: string }> {
  const parts: Record<Channel, Buffer[]> = { stdout: [], stderr: [], header: [] };
  const end = await port.run(command, {
    signal,
    onOutput(channel, bytes) {
      parts[channel].push(Buffer.from(bytes));
    },
  });
  const text = (channel: Channel) => Buffer.concat(parts[channel]).toString();
  const sha256 = createHash('sha256').update(Buffer.concat(parts.stdout)).digest('hex');
  return { ...end, stdout: text('stdout'), stderr: text('stderr'), header: text('header'), sha256 };
}

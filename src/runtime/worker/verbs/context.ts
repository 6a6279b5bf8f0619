import type { CommandResult, CommandTimes, OnOutput } from '../../../build/command-port.ts';
import type { Identity } from '../../../exec/identity.ts';
import type { GitRoute } from '../../../net/git-routes.ts';
import type { TreeEnd, TreeOptions } from '../../../exec/run-tree.ts';

/** How a command ended, and what only a keeper knows of it. */
export type CommandEnd = TreeEnd & CommandTimes & Pick<CommandResult, 'cut' | 'told'>;

/** One command of a step, run to its end in the workspace, in the name of the right user. */
export type RunCommand = (
  command: Pick<
    TreeOptions,
    'command' | 'cwd' | 'env' | 'scratch' | 'timeoutMs' | 'maxTimeMs' | 'sigtermTimeMs'
  > & {
    onOutput?: OnOutput;
  },
) => Promise<CommandEnd>;

/** What a verb of the port works with. */
export interface VerbContext {
  root: string;
  scratch: string;
  identity: Identity | null;
  /** Environment below the plan's. */
  env: Readonly<Record<string, string>>;
  /** The worker's own GIT_SSH_COMMAND, for git steps; no part of `env`. */
  gitSshCommand: string | undefined;
  /** How git's own connections are made. */
  openRoute: () => GitRoute;
  run: RunCommand;
  /** What a command says goes there: the step's log. */
  onOutput: OnOutput;
  /** A line of ours into the log. */
  say: (line: string) => Promise<void>;
}

/** A tree's end as the port's contract has it. */
export function asResult({ ended, rc, signal, tookMs, agoMs, cut, told }: CommandEnd): CommandResult {
  return { ended, rc, signal, tookMs, agoMs, cut, told };
}

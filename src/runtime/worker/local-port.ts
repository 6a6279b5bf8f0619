import { sentences } from '../../base/error.ts';
import type { CommandPort } from '../../build/command-port.ts';
import { passedEnvironment, type Environment } from '../../exec/environment.ts';
import type { Identity } from '../../exec/identity.ts';
import type { GitRoute } from '../../net/git-routes.ts';
import { runTree, type TreeEnd } from '../../exec/run-tree.ts';
import { checkOut } from './sources/git.ts';
import type { VerbContext } from './verbs/context.ts';
import { runShell } from './verbs/shell.ts';

export interface LocalPortOptions {
  /** What `openWorkspace` gave. */
  root: string;
  scratch: string;
  marker: string;
  /** The worker's own environment; only what `passedEnvironment` lets through reaches a step, and GIT_SSH_COMMAND git. */
  env: Environment;
  /** Whom steps run as; null: as the worker itself. */
  identity: Identity | null;
  /** How git's connections are made; without it, by git alone. */
  openRoute?: (() => GitRoute) | undefined;
}

const BY_GIT_ALONE: GitRoute = { env: {}, failures: () => [], close: () => undefined };

/**
 * A port that runs commands on this machine, in one build's workspace:
 *
 *     await using workspace = await openWorkspace({ builds, builddir, identity });
 *     const port = createLocalPort({ ...workspace, env: process.env, identity });
 *     await runPlan(plan, { port, workdir: workspace.root, … });
 */
export function createLocalPort(options: LocalPortOptions): CommandPort {
  const { identity, marker } = options;
  const env = passedEnvironment(options.env, identity);
  let commands = 0;
  return {
    async run(command, { signal, onOutput }) {
      const say = async (line: string) => onOutput('header', Buffer.from(`${line}\n`));
      const context: VerbContext = {
        root: options.root,
        scratch: options.scratch,
        identity,
        env,
        gitSshCommand: options.env['GIT_SSH_COMMAND'],
        openRoute: options.openRoute ?? (() => BY_GIT_ALONE),
        say,
        async run(given) {
          commands += 1;
          const end = await runTree({
            onOutput,
            ...given,
            identity,
            signal,
            marker: `${marker}/${commands}`,
          });
          await tellEnd(end, say);
          return end;
        },
      };
      return command.kind === 'shell' ? runShell(command, context) : checkOut(command, context);
    },
  };
}

async function tellEnd(end: TreeEnd, say: VerbContext['say']): Promise<void> {
  if (end.error !== undefined) await say(`cannot start: ${sentences(end.error).join(': ')}`);
  if (end.leftovers > 0) {
    const what = end.leftovers === 1 ? 'a process that it left' : `${end.leftovers} processes that it left`;
    await say(`the command is over, but ${what} held its output: ended`);
  }
  if (end.alive.length > 0) await say(`processes that could not be ended: ${end.alive.join(' ')}`);
}

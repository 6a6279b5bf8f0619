import type { CommandPort, LogPlace, ShellCommand } from '../../build/command-port.ts';
import { endLeftovers, ownUids } from '../../exec/end-processes.ts';
import { passedEnvironment, type Environment } from '../../exec/environment.ts';
import type { Identity } from '../../exec/identity.ts';
import { MARKER_VARIABLE } from '../../exec/marker.ts';
import type { GitRoute } from '../../net/git-routes.ts';
import { runTree } from '../../exec/run-tree.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import { KeeperLost, type RunOrder } from './keeper/messages.ts';
import { checkOut } from './sources/git.ts';
import { treeWords } from './tree-words.ts';
import { asResult, type CommandEnd, type RunCommand, type VerbContext } from './verbs/context.ts';
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
  /** The build as the keeper has it: then its shell commands run there, and outlive this process. */
  kept?: KeptBuild | undefined;
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
  const { identity, marker, kept } = options;
  const env = passedEnvironment(options.env, identity);
  const inheritedMarker = options.env[MARKER_VARIABLE];
  const uids = ownUids(identity?.uid);
  let commands = 0;

  /** Gives a command to the keeper, or meets it again there. */
  async function runKept(
    build: KeptBuild,
    into: LogPlace,
    given: Parameters<RunCommand>[0] & Pick<RunOrder, 'logMax'>,
    signal: AbortSignal,
  ): Promise<CommandEnd | undefined> {
    const own = `${marker}/step-${into.step}`;
    try {
      const { command, cwd, env: whole, scratch, timeoutMs, maxTimeMs, sigtermTimeMs, logMax = null } = given;
      const limits = { timeoutMs, maxTimeMs, sigtermTimeMs, logMax };
      const place = { command, cwd, env: whole, scratch, identity, marker: own, inheritedMarker };
      return await build.run({ ...into, ...place, ...limits, tellsEnd: true }, signal);
    } catch (error) {
      if (!(error instanceof KeeperLost)) throw error;
      // Before anybody hears of it: the build will run again, perhaps elsewhere.
      await endLeftovers(marker, { uids });
      return undefined;
    }
  }

  return {
    async run(command, { signal, onOutput, into }) {
      const say = async (line: string) => onOutput('header', Buffer.from(`${line}\n`));
      const context: VerbContext = {
        root: options.root,
        scratch: options.scratch,
        identity,
        env,
        gitSshCommand: options.env['GIT_SSH_COMMAND'],
        openRoute: options.openRoute ?? (() => BY_GIT_ALONE),
        onOutput,
        say,
        async run(given) {
          commands += 1;
          const end = await runTree({
            inheritedMarker,
            onOutput,
            ...given,
            identity,
            signal,
            marker: `${marker}/own/${commands}`,
          });
          for (const line of treeWords(end)) await say(line);
          return end;
        },
      };
      if (kept === undefined || into === undefined)
        return command.kind === 'shell' ? runShell(command, context) : checkOut(command, context);
      if (command.kind === 'git') {
        if (kept.goOnBehind(into.log.id)) {
          // A git of the former process may still be at it.
          await endLeftovers(`${marker}/own`, { uids });
          await say('bbx: the worker was started again: the checkout begins anew');
        }
        return checkOut(command, context);
      }
      let lost = false;
      const runHere: RunCommand = async (given) => {
        const end = await runKept(kept, into, { ...given, logMax: command.logMax ?? null }, signal);
        if (end !== undefined && end.told !== true) for (const line of treeWords(end)) await say(line);
        lost = end === undefined;
        return end ?? { ended: 'cancelled', rc: null, signal: null, leftovers: 0, alive: [] };
      };
      // Of one that runs already only the end is wanted: its directory may be gone meanwhile.
      const end = kept.knows(into.step)
        ? asResult(await runHere({ command: [], cwd: options.root, env: {}, ...limitsOf(command) }))
        : await runShell(command, { ...context, run: runHere });
      return lost ? { ...end, ended: 'lost' } : end;
    },
  };
}

function limitsOf({ timeoutMs, maxTimeMs, sigtermTimeMs }: ShellCommand) {
  return { timeoutMs, maxTimeMs, sigtermTimeMs };
}

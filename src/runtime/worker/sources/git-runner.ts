import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitCommand, OnOutput } from '../../../build/command-port.ts';
import { reasonIn } from '../../../exec/git-reason.ts';
import { gitEnvironment, GIT_OPTIONS, SUBMODULE_TRANSPORTS } from '../../../exec/git-rules.ts';
import type { TreeEnd } from '../../../exec/run-tree.ts';
import type { VerbContext } from '../verbs/context.ts';

/** A git command's end that ends the step; `where`: whether the far end of a connection had a part in it. */
export class GitStopped extends Error {
  readonly end: TreeEnd;
  readonly where: Where;
  /** The line that says why, where git or we have said one. */
  readonly why: string | undefined;
  constructor(end: TreeEnd, where: Where, why?: string) {
    super(`git ended: ${end.ended}`);
    this.end = end;
    this.where = where;
    this.why = why;
  }
}

type Where = 'here' | 'far';

/** git in one workspace, for one step: limits and environment of the step, all output in its log. */
export interface Git {
  /** Runs a command that must succeed; throws GitStopped otherwise. */
  must(where: Where, args: readonly string[], transports?: 'submodules'): Promise<void>;
  /** Whether a command succeeds; throws GitStopped when it was not git that ended it. */
  check(args: readonly string[], where?: Where): Promise<boolean>;
  /** A command's output without its last newline, undefined when it fails. */
  ask(args: readonly string[]): Promise<string | undefined>;
  /** Removes the workspace's content, the directory itself stays. */
  empty(): Promise<void>;
  /** Removes the lock files of a git that was killed: nobody else works here. */
  removeLocks(): Promise<void>;
  /** Removes the repositories of all submodules; false when there are none. */
  removeSubmodules(): Promise<boolean>;
  say(line: string): Promise<void>;
  /** Ends the step as failed, for a reason of ours. */
  stop(reason: string): Promise<never>;
}

/** Variables that would lead git to another place, or lift what `gitEnvironment` forbids. */
const NOT_FROM_PLANS =
  /^GIT_(?:SSH_COMMAND|DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_|COMMON_DIR|CONFIG|NAMESPACE|EXEC_PATH|TEMPLATE_DIR|ALLOW_PROTOCOL|PROTOCOL_FROM_USER|TERMINAL_PROMPT|ASKPASS)/;

/** What an answer to `ask` may hold, bytes. */
const ANSWER_LIMIT = 65_536;

/** Of what git says the end is kept, bytes: the lines that say why come last. */
const ERRORS_KEPT = 8_192;

/** Names in one command: of 255 bytes each they are far below what an argument list may hold. */
const REMOVED_AT_ONCE = 500;

/** Runs git in a step's directory, as the build's user. */
export function createGit(
  command: GitCommand,
  context: VerbContext,
  dir: string,
  own: { credentialOptions: readonly string[]; routeEnv: Readonly<Record<string, string>> },
): Git {
  const { step } = command;
  const began = performance.now();
  const env = {
    ...context.env,
    ...gitEnvironment(command.env['GIT_SSH_COMMAND'] ?? context.gitSshCommand),
    ...Object.fromEntries(Object.entries(command.env).filter(([name]) => !NOT_FROM_PLANS.test(name))),
    // A directory without a repository must not lead git to one above it.
    GIT_CEILING_DIRECTORIES: join(dir, '..'),
    ...own.routeEnv,
  };

  const run = async (words: readonly string[], extra: Record<string, string>, onOutput?: OnOutput) => {
    const left = step.maxTimeMs === null ? null : Math.max(1, step.maxTimeMs - (performance.now() - began));
    const end = await context.run({
      command: words,
      cwd: dir,
      env: { ...env, ...extra },
      timeoutMs: step.timeoutMs,
      maxTimeMs: left,
      sigtermTimeMs: step.sigtermTimeMs,
      ...(onOutput === undefined ? {} : { onOutput }),
    });
    if (end.ended !== 'exit') throw new GitStopped(end, 'here');
    return end;
  };
  const git = (args: readonly string[], extra: Record<string, string> = {}, onOutput?: OnOutput) =>
    run(['git', ...GIT_OPTIONS, ...own.credentialOptions, ...args], extra, onOutput);

  return {
    async must(where, args, transports) {
      const extra: Record<string, string> =
        transports === undefined ? {} : { GIT_ALLOW_PROTOCOL: SUBMODULE_TRANSPORTS };
      await context.say(`git ${args.join(' ')}`);
      const errors = lastErrors();
      const end = await git(args, extra, (channel, bytes) => {
        if (channel === 'stderr') errors.push(bytes);
        return context.onOutput(channel, bytes);
      });
      if (end.rc !== 0) throw new GitStopped(end, where, reasonIn(errors.text()));
    },
    async check(args, where) {
      if (where === 'far') {
        await context.say(`git ${args.join(' ')}`);
        return (await git(args)).rc === 0;
      }
      return (await git(args, {}, () => undefined)).rc === 0;
    },
    async ask(args) {
      const parts: Uint8Array[] = [];
      let size = 0;
      const end = await git(args, {}, (channel, bytes) => {
        if (channel !== 'stdout') return;
        size += bytes.length;
        if (size <= ANSWER_LIMIT) parts.push(bytes);
      });
      return end.rc === 0 ? Buffer.concat(parts).toString().trimEnd() : undefined;
    },
    async empty() {
      // By a program, in the name of the build's user: what stands there is not to be trusted with this process's rights.
      const names = await readdir(dir);
      for (let at = 0; at < names.length; at += REMOVED_AT_ONCE) {
        const end = await run(
          ['rm', '-rf', '--', ...names.slice(at, at + REMOVED_AT_ONCE).map((name) => `./${name}`)],
          {},
        );
        if (end.rc !== 0) throw new GitStopped(end, 'here');
      }
    },
    async removeLocks() {
      // Objects have none, and are what makes a repository large.
      const words = `find .git -type d -name objects -prune -o -type f -name '*.lock' -exec rm -f -- {} + 2>/dev/null || :`;
      await run(['/bin/sh', '-c', words], {}, () => undefined);
    },
    async removeSubmodules() {
      const modules = join('.git', 'modules');
      if ((await readdir(join(dir, modules)).catch(() => [])).length === 0) return false;
      await context.say('the submodules are removed and cloned anew');
      await git(['submodule', '--quiet', 'deinit', '--all', '--force'], {}, () => undefined);
      await run(['rm', '-rf', '--', modules], {});
      return true;
    },
    say: context.say,
    async stop(reason) {
      await context.say(reason);
      throw new GitStopped({ ended: 'exit', rc: 1, signal: null, leftovers: 0, alive: [] }, 'far', reason);
    },
  };
}

/** The end of what a command says on stderr. */
function lastErrors(): { push(bytes: Uint8Array): void; text(): string } {
  let kept = Buffer.alloc(0);
  return {
    push: (bytes) => void (kept = Buffer.concat([kept, bytes]).subarray(-ERRORS_KEPT)),
    text: () => kept.toString(),
  };
}

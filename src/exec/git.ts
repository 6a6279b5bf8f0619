import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { printDuration } from '../base/duration.ts';
import { withoutCredentials } from '../base/without-credentials.ts';
import { codes } from './codes.ts';
import { passedEnvironment, type Environment } from './environment.ts';
import { reasonIn } from './git-reason.ts';
import { checkGitValue, gitEnvironment, GIT_OPTIONS } from './git-rules.ts';

export interface GitOptions {
  /** The process's environment; what git may see of it is chosen here, with GIT_SSH_COMMAND and the agent's socket for ssh keys. */
  env: Environment;
  /** On top: `ALL_PROXY` and the like, for connections that go through a route of ours. */
  extraEnv?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
  /** For the whole call, ms; two minutes unless told otherwise. */
  timeoutMs?: number | undefined;
}

/** Listing a repository over a slow line takes seconds; a first fetch of a big one should be given more by its caller. */
const GIT_LIMIT_MS = 120_000;

/** From TERM to KILL for git itself; it removes its lock files on TERM. */
const GIT_TERM_MS = 2_000;

/** What one git command may print before it is taken for broken, bytes. */
const OUTPUT_LIMIT = 64 * 1024 * 1024;

export interface RemoteRefs {
  /** Branch that the repository's HEAD names, when it says so. */
  defaultBranch: string | null;
  /** Full ref name (`refs/heads/main`, `refs/tags/v1`) → commit id; an annotated tag stands for its commit. */
  refs: ReadonlyMap<string, string>;
}

/**
 * What a repository has, asked without a copy of it. Patterns are git's (`refs/heads/*`, `main`); none: everything.
 * Throws BBX-EXE-GIT, BBX-EXE-GIT-TIME, BBX-EXE-GIT-VALUE, BBX-EXE-MISSING.
 */
export async function lsRemote(
  url: string,
  patterns: readonly string[],
  options: GitOptions,
): Promise<RemoteRefs> {
  checkGitValue('repository', url);
  // HEAD is asked for on its own name, which a pattern would leave out.
  const wanted =
    patterns.length === 0 ? [] : ['HEAD', ...patterns.map((pattern) => checkGitValue('pattern', pattern))];
  const text = await runGit(
    ['ls-remote', '--symref', '--', url, ...wanted],
    { action: 'list', url },
    options,
  );
  return parseRefs(text);
}

function parseRefs(text: string): RemoteRefs {
  let defaultBranch: string | null = null;
  const refs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const symbolic = /^ref: refs\/heads\/(.+)\tHEAD$/.exec(line);
    if (symbolic?.[1] !== undefined) defaultBranch = symbolic[1];
    const direct = /^([0-9a-f]{40,64})\t(refs\/.+)$/.exec(line);
    if (direct?.[1] === undefined || direct[2] === undefined) continue;
    // `refs/tags/v1^{}` follows `refs/tags/v1` and has the commit that the tag object names.
    refs.set(direct[2].replace(/\^\{\}$/, ''), direct[1]);
  }
  return { defaultBranch, refs };
}

export interface Commit {
  revision: string;
  /** `Name <mail>`. */
  author: string;
  /** Time of the commit, epoch seconds. */
  at: number;
  comments: string;
  /** Paths that differ from the first parent, at most `FILES_LIMIT`. */
  files: string[];
}

/** Paths kept of one commit: a merge of a year's work must not become a row of megabytes. */
const FILES_LIMIT = 1_000;

/**
 * The commits that a branch got since `from`, oldest first, at most the newest `limit`. They are fetched into `mirror`, a bare repository of
 * ours that is made when missing. With `from` null, or gone after a forced push: the branch's newest commit alone.
 */
export async function commitsBetween(
  wanted: { url: string; mirror: string; branch: string; from: string | null; to: string; limit: number },
  options: GitOptions,
): Promise<Commit[]> {
  const { url, mirror, branch, from, to, limit } = wanted;
  checkGitValue('repository', url);
  checkGitValue('branch', branch);
  checkGitValue('revision', to);
  if (from !== null) checkGitValue('revision', from);
  const about = { action: 'fetch', url };
  const inMirror = (args: readonly string[]) => runGit([`--git-dir=${mirror}`, ...args], about, options);
  const has = (revision: string) =>
    inMirror(['cat-file', '-e', `${revision}^{commit}`]).then(
      () => true,
      () => false,
    );

  await makeMirror(mirror, about, options);
  if (!(await has(to)))
    await inMirror([
      'fetch',
      '--quiet',
      '--force',
      '--no-tags',
      '--',
      url,
      `+refs/heads/${branch}:refs/heads/${branch}`,
    ]);
  // The branch may have gone on, or back, since it was listed.
  if (!(await has(to))) return [];
  const known = from !== null && (await has(from));
  const text = await inMirror([
    ...[
      'log',
      '-z',
      '--no-renames',
      '--name-status',
      '--diff-merges=first-parent',
      '--encoding=UTF-8',
      '--no-show-signature',
    ],
    '--format=tformat:%H%x00%an <%ae>%x00%ct%x00%B%x00',
    `--max-count=${known ? limit : 1}`,
    ...(known ? [`${from}..${to}`] : [to]),
    '--',
  ]);
  return parseCommits(text).reverse();
}

async function makeMirror(mirror: string, about: About, options: GitOptions): Promise<void> {
  const there = await access(join(mirror, 'HEAD')).then(
    () => true,
    () => false,
  );
  if (there) return;
  await mkdir(mirror, { recursive: true, mode: 0o700 });
  await runGit(['init', '--quiet', '--bare', '--', mirror], about, options);
}

/**
 * Reads `log -z --name-status` with the format above: four fields and an empty one, then pairs of a status letter (the first after a
 * newline) and a path. Fields hold no NUL, whatever a commit says, and no commit id looks like a status.
 */
function parseCommits(text: string): Commit[] {
  const tokens = text.split('\0');
  const commits: Commit[] = [];
  let at = 0;
  while (at + 4 < tokens.length) {
    const [revision = '', author = '', time = '', comments = ''] = tokens.slice(at, at + 4);
    at += 5;
    const files: string[] = [];
    while (/^\n?[A-Z]$/.test(tokens[at] ?? '')) {
      if (files.length < FILES_LIMIT) files.push(tokens[at + 1] ?? '');
      at += 2;
    }
    commits.push({ revision, author, at: Number(time), comments: comments.trimEnd(), files });
  }
  return commits;
}

interface About {
  action: string;
  url: string;
}

/**
 * Runs one git command outside any build and gives its output. Its whole group is ended on abort and at the limit, as git leaves its
 * transports (ssh) running when it alone is killed.
 */
export async function runGit(args: readonly string[], about: About, options: GitOptions): Promise<string> {
  const { signal, timeoutMs = GIT_LIMIT_MS } = options;
  signal?.throwIfAborted();
  const agent = options.env['SSH_AUTH_SOCK'];
  const running = execa('git', [...GIT_OPTIONS, ...args], {
    env: {
      ...passedEnvironment(options.env, null),
      ...(agent === undefined ? {} : { SSH_AUTH_SOCK: agent }),
      ...gitEnvironment(options.env['GIT_SSH_COMMAND']),
      ...options.extraEnv,
    },
    extendEnv: false,
    cwd: '/',
    stdin: 'ignore',
    detached: true,
    reject: false,
    maxBuffer: OUTPUT_LIMIT,
    stripFinalNewline: false,
  });
  let timedOut = false;
  let kill: NodeJS.Timeout | undefined;
  const end = () => {
    endGroup(running.pid, 'SIGTERM');
    kill ??= setTimeout(() => endGroup(running.pid, 'SIGKILL'), GIT_TERM_MS);
  };
  const limit = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  try {
    const result = await running;
    signal?.throwIfAborted();
    const data = { action: about.action, url: withoutCredentials(about.url) };
    if (timedOut) throw codes['BBX-EXE-GIT-TIME']({ ...data, limit: printDuration(timeoutMs) });
    if (result.code === 'ENOENT') throw codes['BBX-EXE-MISSING']({ program: 'git' });
    if (result.failed)
      throw codes['BBX-EXE-GIT']({
        ...data,
        reason: reasonIn(result.stderr)?.slice(0, 500) ?? result.shortMessage ?? 'it failed',
      });
    return result.stdout;
  } finally {
    clearTimeout(limit);
    clearTimeout(kill);
    signal?.removeEventListener('abort', end);
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It is over already.
  }
}

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { BbxError, sentences } from '../../../base/error.ts';
import type { CommandResult, GitCommand } from '../../../build/command-port.ts';
import { checkGitValue, isFullRevision } from '../../../exec/git-rules.ts';
import { asResult, type VerbContext } from '../verbs/context.ts';
import { resolveWorkdir } from '../workspace.ts';
import { splitUrl, writeCredentials } from './credentials.ts';
import { createGit, GitStopped, type Git } from './git-runner.ts';

/**
 * Checks a repository out into the workspace, at the step's revision, or at its branch's newest commit.
 *
 * `incremental` fetches and resets, and keeps untracked files; `clean` removes those as well; `full` begins with an empty directory. A
 * workspace that git cannot use any more is emptied and filled anew. The step succeeds only when HEAD is the wanted commit and no
 * git command failed; `got_revision` is that commit.
 */
export async function checkOut(given: GitCommand, context: VerbContext): Promise<CommandResult> {
  const { url, line } = splitUrl(given.step.repository);
  const command = { ...given, step: { ...given.step, repository: url } };
  const { step } = command;
  const known = [line, given.credentials].filter((text) => text !== null).join('\n');
  let dir: string;
  try {
    checkGitValue('repository', step.repository);
    if (step.branch !== null) checkGitValue('branch', step.branch);
    if (step.revision !== null) checkGitValue('revision', step.revision);
    dir = await resolveWorkdir(context.root, step.workdir, context.identity);
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    await context.say(error.message);
    return { ended: 'notStarted', rc: null, signal: null, why: error.message };
  }
  await using credentials = await writeCredentials(known, step.repository, context);
  const route = context.openRoute();
  const git = createGit(command, context, dir, {
    credentialOptions: credentials.options,
    routeEnv: route.env,
  });
  try {
    const usable = step.mode !== 'full' && (await isRepository(git, dir));
    if (!usable || !(await update(git, command, context))) await fresh(git, command, context);
    const head = await git.ask(['rev-parse', '--verify', 'HEAD^{commit}']);
    return { ended: 'exit', rc: 0, signal: null, properties: { got_revision: head ?? null } };
  } catch (error) {
    if (!(error instanceof GitStopped)) throw error;
    const failures = route.failures().map((failure) => sentences(failure).join(': '));
    for (const failure of failures) await context.say(failure);
    // Of a connection that we made git knows only that it failed.
    const ours = error.why?.startsWith('unable to access') === true ? failures.at(-1) : undefined;
    return { ...asResult(error.end), why: ours ?? error.why };
  } finally {
    route.close();
  }
}

/** Whether `dir` itself is a repository that git can read, not merely inside of one. */
async function isRepository(git: Git, dir: string): Promise<boolean> {
  const there = await access(join(dir, '.git', 'HEAD')).then(
    () => true,
    () => false,
  );
  return there && (await git.ask(['rev-parse', '--git-dir'])) === '.git';
}

/**
 * Brings an existing repository to the wanted commit. False when the repository is broken, so that only a new one helps; a repository
 * that is whole while its far end fails ends the step instead, and stays.
 */
async function update(git: Git, command: GitCommand, context: VerbContext): Promise<boolean> {
  try {
    await git.removeLocks();
    await place(git, command);
    return true;
  } catch (error) {
    if (!(error instanceof GitStopped) || error.end.ended !== 'exit') throw error;
    const whole = await git.check(['fsck', '--connectivity-only', '--no-dangling', '--no-progress']);
    if (whole && error.where === 'far') throw error;
    await context.say('the workspace is broken: it is removed and cloned anew');
    return false;
  }
}

async function fresh(git: Git, command: GitCommand, context: VerbContext): Promise<void> {
  await git.empty();
  const sha256 = command.step.revision?.length === 64 ? ['--object-format=sha256'] : [];
  await git.must('here', ['init', '--quiet', ...sha256]);
  await git.must('here', ['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*']);
  await place(git, command);
  await context.say('cloned anew');
}

/** Fetch, check out over whatever stands there, clean, submodules. */
async function place(git: Git, command: GitCommand): Promise<void> {
  const { step } = command;
  await git.must('here', ['config', 'remote.origin.url', step.repository]);
  const revision = await fetchRevision(git, command);
  if (step.mode === 'clean') await git.must('here', ['clean', '-ffdx', '--quiet']);
  await git.must('here', ['checkout', '--quiet', '--force', '--detach', revision, '--']);
  if (step.mode === 'clean') await git.must('here', ['clean', '-ffdx', '--quiet']);
  if (step.submodules) await placeSubmodules(git, command);
}

/** Submodules that cannot be brought up to date are fetched anew, once: what is broken in them, git does not say. */
async function placeSubmodules(git: Git, { step }: GitCommand): Promise<void> {
  const depth = step.shallow === null ? [] : ['--depth', String(step.shallow)];
  await git.must('here', ['submodule', 'sync', '--quiet', '--recursive']);
  const update = () =>
    git.must('far', ['submodule', 'update', '--init', '--recursive', '--force', ...depth], 'submodules');
  try {
    await update();
  } catch (error) {
    if (!(error instanceof GitStopped) || error.end.ended !== 'exit' || !(await git.removeSubmodules()))
      throw error;
    await update();
  }
  if (step.mode === 'clean')
    await git.must('here', ['submodule', '--quiet', 'foreach', '--recursive', 'git clean -ffdxq']);
}

/** Gets the wanted commit into the repository by the cheapest way that works, and gives its id. */
async function fetchRevision(git: Git, { step }: GitCommand): Promise<string> {
  const depth = step.shallow === null ? [] : ['--depth', String(step.shallow)];
  const fetch = (refs: readonly string[], extra: readonly string[] = depth) => [
    ...['fetch', '--quiet', '--force', '--no-recurse-submodules', ...extra, '--', step.repository, ...refs],
  ];
  const branch =
    step.branch === null ? 'HEAD' : `+refs/heads/${step.branch}:refs/remotes/origin/${step.branch}`;

  if (step.revision === null) {
    await git.must('far', fetch([branch]));
    return (
      (await git.ask(['rev-parse', '--verify', 'FETCH_HEAD^{commit}'])) ?? git.stop('no commit was fetched')
    );
  }
  const { revision } = step;
  const has = async () => isFullRevision(revision) && git.check(['cat-file', '-e', `${revision}^{commit}`]);
  if (await has()) return revision;
  if (step.shallow === null) {
    // The branch is what most servers give fastest; the commit may no longer be on it.
    if ((await git.check(fetch([branch]), 'far')) && (await has())) return revision;
  }
  if ((await git.check(fetch([revision]), 'far')) && (await has())) return revision;
  await git.say('the server does not give this commit alone: everything is fetched');
  const unshallow =
    (await git.ask(['rev-parse', '--is-shallow-repository'])) === 'true' ? ['--unshallow'] : [];
  await git.must(
    'far',
    fetch(['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'], unshallow),
  );
  if (await has()) return revision;
  return git.stop(`the repository has no commit ${revision}`);
}

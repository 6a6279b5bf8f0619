import { createHash } from 'node:crypto';
import { readdirSync, realpathSync } from 'node:fs';
import { chmod, lstat, realpath, stat, unlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import { codes } from '../../exec/codes.ts';
import { lockDirectory, type DirectoryLock } from '../../exec/directory-lock.ts';
import { endLeftovers, ownUids } from '../../exec/end-processes.ts';
import type { Identity } from '../../exec/identity.ts';
import { makeDirectoryAs, makeOwnedDirectory } from '../../exec/owned-files.ts';
import { wayAbove } from '../../exec/way.ts';

/** A builder's directory on a worker, held by one build. */
export interface Workspace {
  /** Absolute path that the build works in: `builds/<builddir>/build`. */
  readonly root: string;
  /** 0700, beside `root` and never inside it: for credentials while git uses them. */
  readonly scratch: string;
  /** Finds the processes of this builder's steps again. */
  readonly marker: string;
  /** Ends what the build's steps left running, then gives the directory free. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What background processes of a build get after TERM when it is over, ms. */
const FAREWELL_MS = 1_000;

/**
 * Finds all processes of the builds below a worker's `builds` directory, also after a `kill -9`: call
 * `endLeftovers(workerMarker(builds), { uids: ownUids(identity?.uid) })` at the start, before any build.
 */
export function workerMarker(builds: string): string {
  return createHash('sha256').update(resolve(builds)).digest('hex').slice(0, 16);
}

/**
 * Takes a builder's directory, made when missing. Its folder is 0700; `root` belongs to the user that builds run as.
 * Throws BBX-EXE-LOCKED while another build has it.
 */
export async function openWorkspace(options: {
  /** The worker's `builds` directory. */
  builds: string;
  /** Safe as a file name; the plan's schema has seen to that. */
  builddir: string;
  identity: Identity | null;
  /** How the directory's lock is taken; `lockDirectory` unless given. */
  takeLock?: (path: string) => Promise<DirectoryLock>;
}): Promise<Workspace> {
  const { identity, takeLock = lockDirectory } = options;
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(options.builddir) || /^\.+$/.test(options.builddir)) {
    throw codes['BBX-EXE-WORKDIR']({ workdir: options.builddir, problem: 'that is no plain directory name' });
  }
  const home = join(resolve(options.builds), options.builddir);
  const root = join(home, 'build');
  const scratch = join(home, 'scratch');
  const lock = await takeLock(join(home, '.bbx', 'lock'));
  try {
    if (identity !== null) await openWay(resolve(options.builds), home, identity);
    for (const path of [root, scratch]) await makeOwnedDirectory(path, identity);
    await removeCredentials(scratch);
  } catch (error) {
    lock.release();
    throw error;
  }
  const marker = `${workerMarker(options.builds)}/${options.builddir}`;
  return {
    root,
    scratch,
    marker,
    async [Symbol.asyncDispose]() {
      try {
        await endLeftovers(marker, { uids: ownUids(identity?.uid), sigtermTimeMs: FAREWELL_MS });
      } finally {
        lock.release();
      }
    },
  };
}

/**
 * Credentials that stood here while git used them, when its worker was killed. Their directory is the worker's to name, so nothing leads away.
 * Looked for on the spot, as the directories before: through other threads it takes ten times as much of the processor.
 */
async function removeCredentials(scratch: string): Promise<void> {
  for (const name of readdirSync(scratch))
    if (name.startsWith('credentials-')) await unlink(join(scratch, name)).catch(() => undefined);
}

/**
 * The absolute path of a step's workdir, made when missing. Throws BBX-EXE-WORKDIR for a path that leads out of `root`, also through a
 * symbolic link that an earlier step left there.
 */
export async function resolveWorkdir(
  root: string,
  workdir: string,
  identity: Identity | null,
): Promise<string> {
  if (isAbsolute(workdir)) throw codes['BBX-EXE-WORKDIR']({ workdir, problem: 'it is absolute' });
  if (workdir.includes('\0')) throw codes['BBX-EXE-WORKDIR']({ workdir, problem: 'it holds a NUL' });
  const target = resolve(root, workdir);
  if (!isInside(root, target))
    throw codes['BBX-EXE-WORKDIR']({ workdir, problem: 'it leads out of the build' });
  const realRoot = realpathSync.native(root);
  // Part by part, so that nothing is made beyond a link before it is seen.
  let path = realRoot;
  for (const part of relative(root, target)
    .split(sep)
    .filter((name) => name !== '')) {
    path = join(path, part);
    const real = await realpath(path).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return undefined;
    });
    if (real === undefined) await makePart(path, workdir, identity);
    else if (!isInside(realRoot, real))
      throw codes['BBX-EXE-WORKDIR']({ workdir, problem: 'a symbolic link leads out of the build' });
    else path = real;
  }
  return path;
}

async function makePart(path: string, workdir: string, identity: Identity | null): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there !== undefined)
    throw codes['BBX-EXE-WORKDIR']({ workdir, problem: 'a symbolic link there leads to nothing' });
  await makeDirectoryAs(path, identity);
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/**
 * Lets another user pass, not read, through the worker's own directories to `home`, and throws BBX-EXE-USER where it cannot pass a
 * directory above those, whose rights are not ours to change.
 */
async function openWay(builds: string, home: string, identity: Identity): Promise<void> {
  for (const path of [dirname(builds), builds, home]) {
    const { mode } = await stat(path);
    if ((mode & 0o001) === 0) await chmod(path, (mode & 0o7777) | 0o001);
  }
  const { closed, unseen } = await wayAbove(dirname(builds), identity);
  if (closed === null && unseen === null) return;
  throw codes['BBX-EXE-USER']({
    user: identity.user,
    problem:
      closed === null
        ? `whether it may pass the directory "${unseen}" cannot be seen`
        : `it may not pass the directory "${closed}"; chmod o+x it, or move the worker`,
  });
}

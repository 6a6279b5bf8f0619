import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Name of the drill's repository, in the configuration and as a directory of the sandbox. */
export const ORIGIN = 'origin';

/** A checkout of so many files takes some tenths of a second: long enough to be struck. */
const FOLDERS = 20;
const FILES_EACH = 40;
/** Making it, ms. */
const GIT_MS = 60_000;

const run = promisify(execFile);

/** Whether git is here, without which there is nothing to check out with. */
export async function hasGit(): Promise<boolean> {
  return run('git', ['--version'], { timeout: GIT_MS }).then(
    () => true,
    () => false,
  );
}

/** Makes a repository with one commit in the sandbox; gives the commit's id. */
export async function makeOrigin(sandbox: string): Promise<string> {
  const dir = join(sandbox, ORIGIN);
  // Nothing of this user's: a hook or a signing key would be asked for.
  const env = {
    PATH: process.env['PATH'],
    HOME: sandbox,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=drill', '-c', 'user.email=drill@localhost'];
    return (await run('git', [...identity, ...args], { cwd: dir, env, timeout: GIT_MS })).stdout.trim();
  };
  for (let folder = 1; folder <= FOLDERS; folder += 1) {
    const at = join(dir, 'src', String(folder));
    await mkdir(at, { recursive: true });
    for (let file = 1; file <= FILES_EACH; file += 1)
      await writeFile(join(at, `${file}.txt`), `file ${file} of folder ${folder}\n`.repeat(10));
  }
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'all of it');
  return git('rev-parse', 'HEAD');
}

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real git repository in a directory, for farms to build. */
export interface GitRepository {
  readonly path: string;
  /** Writes the files, commits them on `branch` (made if new) and gives the commit's id. */
  commit(files: Record<string, string>, options?: { message?: string; branch?: string }): Promise<string>;
  git(...args: string[]): Promise<string>;
}

export async function gitRepository(path: string, files: Record<string, string>): Promise<GitRepository> {
  await mkdir(path, { recursive: true });
  const git = async (...args: string[]) => {
    const identity = [
      '-c',
      'user.name=Test',
      '-c',
      'user.email=test@example.org',
      '-c',
      'commit.gpgsign=false',
    ];
    const { stdout } = await run('git', [...identity, ...args], {
      cwd: path,
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    });
    return stdout.trim();
  };
  await git('init', '--quiet', '--initial-branch=main');
  const repository: GitRepository = {
    path,
    git,
    async commit(content, { message = 'a change', branch } = {}) {
      if (branch !== undefined) await git('checkout', '--quiet', '-B', branch);
      for (const [name, text] of Object.entries(content)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), text);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--message', message);
      return git('rev-parse', 'HEAD');
    },
  };
  await repository.commit(files, { message: 'first' });
  return repository;
}

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errnoOf } from '../../base/error.ts';

/** Calls that change files, and a few that must not come, since their bytes would not be seen. */
const TRACED = [
  ...['openat', 'open', 'creat', 'lseek', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'],
  ...['fsync', 'fdatasync', 'ftruncate', 'truncate', 'fallocate', 'copy_file_range', 'sendfile'],
  ...['mkdir', 'mkdirat', 'rmdir', 'unlink', 'unlinkat', 'rename', 'renameat', 'renameat2', 'link', 'linkat'],
];
/** Longer than any single write of a master. */
const STRING_BYTES = 4 * 2 ** 20;

/**
 * Words before a command that have strace record into `file` what it asks of its file system. The command is the process that is started, and strace
 * (which names the file in its own command line) one beside it, which ends a moment after it.
 */
export function recordWords(file: string): string[] {
  const how = ['-D', '-f', '-ttt', '-T', '-y', '-xx', '-s', String(STRING_BYTES)];
  return ['strace', ...how, '-e', `trace=${TRACED.join(',')}`, '-o', file, '--'];
}

/** A recorded Node reads and writes by system calls that can be seen. */
export const RECORD_ENV = { UV_USE_IO_URING: '0' } as const;

/** The trial is over at once, ms. */
const TRIAL_MS = 10_000;

/** Why nothing can be recorded here; undefined when it can. */
export async function whyNoRecord(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'what a master asks of its disk is recorded on Linux only';
  const words = ['-f', '-o', '/dev/null', '-e', 'trace=fsync', '--', process.execPath, '--version'];
  try {
    await promisify(execFile)('strace', words, { timeout: TRIAL_MS });
    return undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'strace is not installed';
    const said = String((error as { stderr?: unknown }).stderr ?? '').split('\n')[0];
    return `strace cannot record here (${said === undefined || said === '' ? (error as Error).message : said})`;
  }
}

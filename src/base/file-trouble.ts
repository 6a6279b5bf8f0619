import { errnoOf, type BbxError } from './error.ts';
import { codes } from './file-codes.ts';

/** What the system says, the sentence for it, and the kind that decides on exit code and hint. */
const REASONS: Partial<Record<string, readonly [kind: 'DENIED' | 'MISSING' | 'ROOM', reason: string]>> = {
  EACCES: ['DENIED', 'permission denied'],
  EPERM: ['DENIED', 'the system does not permit it'],
  EROFS: ['DENIED', 'the file system is read-only'],
  ENOENT: ['MISSING', 'there is no such file'],
  ENOTDIR: ['MISSING', 'a file stands where a folder must be'],
  ENOSPC: ['ROOM', 'the disk is full'],
  EDQUOT: ['ROOM', 'the quota is used up'],
};

/** Calls of the system in words; every other one that has a path is "use". */
const ACTIONS: Partial<Record<string, string>> = {
  open: 'open',
  mkdir: 'make the folder',
  scandir: 'list',
  opendir: 'list',
  write: 'write',
  rename: 'replace',
  unlink: 'remove',
  rm: 'remove',
  rmdir: 'remove',
  chmod: 'change the mode of',
  fchmod: 'change the mode of',
  chown: 'change the owner of',
  link: 'make',
  symlink: 'make',
};

/** What the system's answer means of a file, in words; undefined for an answer about something else. */
export function fileReason(error: unknown): string | undefined {
  return REASONS[errnoOf(error) ?? '']?.[1];
}

/**
 * The error with a name that stands for one of the system about a file (`EACCES: permission denied, open 'x'`), or undefined when it is about
 * something else: a program, a socket, a fault. `path` is for calls that do not tell theirs. Exit 5 not permitted, 6 missing, 1 no room.
 */
export function fileTrouble(error: unknown, path?: string): BbxError | undefined {
  const { syscall, path: told } = (error ?? {}) as { syscall?: unknown; path?: unknown };
  const which = path ?? told;
  const [kind, reason] = REASONS[errnoOf(error) ?? ''] ?? [];
  if (kind === undefined || reason === undefined || typeof which !== 'string') return undefined;
  // A program that is missing also has a `path`: its name.
  if (typeof syscall !== 'string' || syscall.startsWith('spawn')) return undefined;
  const data = { action: ACTIONS[syscall] ?? 'use', path: which, reason };
  return codes[`BBX-FILE-${kind}`](data, { cause: error });
}

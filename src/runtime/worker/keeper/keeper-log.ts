import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** A keeper says something once, before it dies; a log that is longer has many deaths in it and begins anew. */
const LOG_BYTES = 64 * 1024;
/** So much of what it said is passed on: the first lines of a stack. */
const WORDS = 600;

/** Where a keeper's own words go: a small file that people find beside its socket. */
export interface KeeperLog {
  readonly path: string;
  /** The file for a keeper that is to be started, open for its words; the caller closes it. */
  begin(): number;
  /** What was said since the last `begin`, or since this was made, in one line. */
  fresh(): string;
}

export function openKeeperLog(path: string): KeeperLog {
  let from = sizeOf(path);
  return {
    path,
    begin() {
      const fd = openSync(path, sizeOf(path) > LOG_BYTES ? 'w' : 'a', 0o600);
      from = fstatSync(fd).size;
      return fd;
    },
    fresh() {
      const bytes = Buffer.alloc(WORDS);
      try {
        const fd = openSync(path, 'r');
        try {
          const text = bytes.toString('utf8', 0, readSync(fd, bytes, 0, WORDS, from));
          return text.trim().replaceAll(/\s*\n\s*/g, '; ');
        } finally {
          closeSync(fd);
        }
      } catch {
        return '';
      }
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

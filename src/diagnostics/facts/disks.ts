/** A disk (file system, or quota of a volume) that holds parts of a program's directory. */
export interface DiskFact {
  /** `store`, `logs`, `spool`, `builds`, `configuration`: those that stand on it. */
  readonly parts: readonly string[];
  /** A path on it. */
  readonly path: string;
  readonly bytes: number;
  /** What programs without privilege may still write. */
  readonly freeBytes: number;
  /** New files that fit; null where the file system does not count them. */
  readonly freeFiles: number | null;
}

const MIB = 1 << 20;
/** With less than this nothing can be relied on: a file system keeps some blocks for itself. */
const FULL_BYTES = MIB;
const FULL_FILES = 16;
/** Less than both is nearly full: a share alone says too much of a big disk, a size alone of a small one. */
const NEARLY = { share: 0.05, bytes: 2048 * MIB };

/** How much room there is, in a word; `no files`: bytes alone are left. */
export function roomOf({
  bytes,
  freeBytes,
  freeFiles,
}: DiskFact): 'full' | 'no files' | 'nearly full' | 'enough' {
  if (freeBytes < FULL_BYTES) return 'full';
  if (freeFiles !== null && freeFiles < FULL_FILES) return 'no files';
  return freeBytes < bytes * NEARLY.share && freeBytes < NEARLY.bytes ? 'nearly full' : 'enough';
}

export interface DiskFacts {
  readonly at: string;
  readonly disks: readonly DiskFact[];
  /** Paths that this user may not look at, or that could not be asked. */
  readonly unseen: readonly string[];
}

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

export interface DiskFacts {
  readonly at: string;
  readonly disks: readonly DiskFact[];
  /** Paths that this user may not look at, or that could not be asked. */
  readonly unseen: readonly string[];
}

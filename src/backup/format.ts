/** Name and number of the form of a backup; a bbx that knows only older ones refuses it. docs/backup.md describes it. */
export const BACKUP_FORMAT = 'bbx.backup/1';

/** First entry of a backup: what it is. */
export const HEAD = 'backup.json';
/** Stands behind files and rows, with the sum of each of them. */
export const MANIFEST = 'manifest.json';
/** The last entry: sums of the logs, and what became of those that are not in it. */
export const LOG_MANIFEST = 'logs.json';

export interface BackupHead {
  format: typeof BACKUP_FORMAT;
  /** The bbx that made it. */
  version: string;
  /** Number of the rows' schema. */
  schema: number;
  /** The life of the store that it was taken from. */
  epoch: string;
  /** When the rows were so; epoch seconds. */
  takenAt: number;
  /** The kind of store that the rows come from; they fit into every kind. */
  dialect: string;
}

/** One entry, with the SHA-256 of its content (of a link: of its target) in hex. */
export interface Member {
  path: string;
  bytes: number;
  sha256: string;
}

export interface Manifest {
  members: Member[];
  /** Rows of each table. */
  tables: Record<string, number>;
  /** Highest number that each table ever gave. */
  lastIds: Record<string, number>;
  /** Builds that had no result when it was taken. */
  running: number;
}

export interface LogManifest {
  members: Member[];
  /** SHA-256 of the entry `manifest.json`. */
  manifest: string;
  /** Logs whose rows are in the backup and whose files retention removed while it was made. */
  pruned: number[];
  /** Logs whose files were missing in the farm already. */
  missing: number[];
}

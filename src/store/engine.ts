import type { Db, Dialect } from './database.ts';

/** One database, opened: what SQLite and PostgreSQL each bring to the store. */
export interface Engine {
  readonly dialect: Dialect;
  /** Where it is, for messages; no password in it. */
  readonly name: string;
  /** One connection for everything that writes. */
  readonly writer: Db;
  /** Sees what is committed, never waits for the writer. */
  readonly reader: Db;
  /** Whether an error means that the same transaction may succeed a moment later. */
  isBusy(error: unknown): boolean;
  /** Gives up to `pages` pages of deleted rows back to the disk; how many are left. */
  vacuum(pages: number): Promise<number>;
  close(): Promise<void>;
}

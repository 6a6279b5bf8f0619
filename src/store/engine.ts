import type { BbxError } from '../base/error.ts';
import type { Db, Dialect } from './database.ts';
import type { Flusher } from './flusher.ts';

/** What an engine tells by itself. */
export interface EngineEvents {
  /** The database cannot be reached, and why; undefined: it is back. Told again when the reason changes. */
  onAway: (error: BbxError | undefined) => void;
  /** This process may write no more and should end: BBX-STO-TAKEN, -REWOUND, -UNFLUSHED. */
  onTaken: (error: BbxError) => void;
}

/** One database, opened: what SQLite and PostgreSQL each bring to the store. */
export interface Engine {
  readonly dialect: Dialect;
  /** Where it is, for messages; no password in it. */
  readonly name: string;
  /** One connection for everything that writes. */
  readonly writer: Db;
  /** Sees what is committed, never waits for the writer. */
  readonly reader: Db;
  /** How long one transaction may take, ms. */
  readonly transactionMs: number;
  /** Makes commits durable, several at once, where a commit by itself is not. */
  readonly flusher?: Flusher;
  /** Runs `act` with rows as they all were at one moment. Only reads may stand in it. */
  snapshot<T>(act: (db: Db) => Promise<T>): Promise<T>;
  /** Whether an error means that the same transaction may succeed a moment later. */
  isBusy(error: unknown): boolean;
  /** Makes sure that a transaction which took too long can write nothing more; gives the error that says so. */
  overdue(ms: number): Error;
  /** Runs what may take much longer than a statement usually does, such as a migration. */
  patiently<T>(act: () => Promise<T>): Promise<T>;
  /** Called once the schema is right, before the first write: from now on this is the store's only master, if it was opened as such. */
  own(): Promise<void>;
  /** Gives up to `pages` pages of deleted rows back to the disk; how many are left. */
  vacuum(pages: number): Promise<number>;
  /** From now on nobody waits for a database that is away. */
  hurry(): void;
  /** Ends waits for a database that is away; `close` follows. */
  interrupt(): void;
  close(): Promise<void>;
}

import { randomBytes } from 'node:crypto';
import type { BbxError } from '../base/error.ts';
import type { PostgresAddress } from '../base/postgres-address.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { silentLog } from '../base/log.ts';
import { codes } from './codes.ts';
import type { Db, Dialect, Tx } from './database.ts';
import type { Engine } from './engine.ts';
import { getMeta, setMeta } from './meta.ts';
import { migrate, schemaOf } from './migrate.ts';
import { migrations as published } from './migrations/list.ts';
import type { Migration } from './migrations/list.ts';
import { openSqliteEngine } from './sqlite/open.ts';
import { closeToOthers } from './sqlite/private.ts';
import { createTransactions } from './transactions.ts';
import { parseStoreUrl } from './url.ts';

export interface StoreOptions {
  /** What a relative path in the URL is relative to: the master's directory. */
  dir: string;
  clock?: Clock;
  log?: Log;
  /** Opens what is there and never writes; a missing store is BBX-STO-MISSING. */
  readOnly?: boolean;
  /**
   * The caller is the store's master, and there is no other: on PostgreSQL a second one is BBX-STO-HELD. (Of a file the lock on the master's
   * directory says so.)
   */
  sole?: boolean;
  /** How long a database that is away is waited for, ms: 0, one try. `onAway` hears of it meanwhile. */
  waitMs?: number;
  /** Ends that wait. */
  signal?: AbortSignal;
  /** The database cannot be reached, and why; undefined: it is back. */
  onAway?: (error: BbxError | undefined) => void;
  /** Another master has the store now, it is older than it was, or a flush failed: this process may write no more and should end. */
  onTaken?: (error: BbxError) => void;
  /** Where PGPASSWORD and PGUSER are looked for. */
  env?: NodeJS.ProcessEnv;
  /** For tests of upgrades. */
  migrations?: readonly Migration[];
}

/** The farm's rows. */
export interface Store {
  /** Random name of this store's life; see `newEpoch`. */
  readonly epoch: string;
  readonly dialect: Dialect;
  /** Where it is, for messages. */
  readonly name: string;
  /** Number of its schema, and the migrations that ran at this opening. */
  readonly schema: number;
  readonly upgraded: readonly number[];
  /**
   * Runs `act` as one transaction, alone: others wait for their turn (BBX-STO-BUSY, retryable, when that takes too long). When it
   * resolves the rows are on the disk; when it rejects nothing of it happened. Inside, await nothing but SQL through `tx`: a
   * transaction over its time limit is rolled back, and `tx` is dead afterwards.
   */
  write<T>(act: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Reads what is committed; never waits for writers. Each statement sees the newest state, and all that was seen is on the disk when it
   * resolves.
   */
  read<T>(act: (db: Db) => Promise<T>): Promise<T>;
  /**
   * Runs `act` with rows as they all were at one moment, while others write. Only reads through `db` may stand in it, none through
   * `read`.
   */
  snapshot<T>(act: (db: Db) => Promise<T>): Promise<T>;
  /** Renews the epoch; for a store that was restored from a backup, so that nothing of its other life is mixed in. */
  newEpoch(): Promise<string>;
  /** Gives space of deleted rows back to the disk, a bounded piece at a time, until `signal` or the end. */
  vacuum(signal?: AbortSignal): Promise<void>;
  /**
   * The caller is about to end: from now on nobody waits for a database that is away (BBX-STO-AWAY, and BBX-STO-UNSURE for a commit whose
   * answer was lost). One that is there is used as before.
   */
  hurry(): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Pages given back per turn at the disk: 4 MB, some milliseconds in which nothing else runs. */
const VACUUM_PAGES = 1_000;

/**
 * Opens (and makes, and upgrades) the store at `url`: `sqlite:FILE`, `postgres://USER@HOST/DATABASE`. Errors: BBX-STO-URL, -MISSING, -OPEN,
 * -RIGHTS, -FOREIGN, -DAMAGED, -NEWER-SCHEMA, -OLDER-SCHEMA (read only); of PostgreSQL also -AWAY, -LOGIN, -TLS, -NO-DATABASE, -HELD.
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  const { readOnly = false } = options;
  const place = parseStoreUrl(url, options.dir);
  const engine =
    place.kind === 'sqlite'
      ? openSqliteEngine(place.file, { readOnly, ...(options.onTaken && { onTaken: options.onTaken }) })
      : await openPostgres(place.address, options);
  try {
    const store = await storeOver(engine, options);
    // Only once it is known to be ours.
    if (place.kind === 'sqlite' && !readOnly) closeToOthers(place.file);
    return store;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Its client is loaded when it is used: a farm on SQLite does not pay for it at the start. */
async function openPostgres(address: PostgresAddress, options: StoreOptions): Promise<Engine> {
  const { openPostgresEngine } = await import('./postgres/open.ts');
  return openPostgresEngine(address, {
    dir: options.dir,
    env: options.env ?? process.env,
    readOnly: options.readOnly ?? false,
    sole: options.sole ?? false,
    waitMs: options.waitMs ?? 0,
    signal: options.signal,
    onAway: options.onAway ?? (() => undefined),
    onTaken: options.onTaken ?? (() => undefined),
  });
}

/** The store over an opened database; `openStore` is what everybody but a contract test calls. */
export async function storeOver(engine: Engine, options: Omit<StoreOptions, 'dir'>): Promise<Store> {
  const { clock = systemClock, log = silentLog, readOnly = false, migrations = published } = options;
  const upgraded = await engine.patiently(() => agree(engine, { readOnly, migrations }));
  await engine.own();
  await engine.flusher?.flush();
  if (upgraded.length > 0) log.info('store upgraded', { store: engine.name, migrations: upgraded });

  let epoch = (await getMeta(engine.reader, 'epoch')) ?? '';
  const transactions = createTransactions(engine, { clock, log });
  let closing: Promise<void> | undefined;
  const open = () => {
    if (closing !== undefined) throw codes['BBX-STO-CLOSED']({ what: `store "${engine.name}"` });
  };

  const store: Store = {
    get epoch() {
      return epoch;
    },
    dialect: engine.dialect,
    name: engine.name,
    schema: migrations.at(-1)?.number ?? 0,
    upgraded,
    async write(act) {
      open();
      return transactions.run(act);
    },
    async read(act) {
      open();
      const found = await act(engine.reader);
      await engine.flusher?.settled();
      return found;
    },
    async snapshot(act) {
      open();
      return engine.snapshot(act);
    },
    async newEpoch() {
      const renewed = newName();
      await store.write((tx) => setMeta(tx, 'epoch', renewed));
      epoch = renewed;
      return renewed;
    },
    async vacuum(signal) {
      for (let left = 1; left > 0 && signal?.aborted !== true;) {
        open();
        left = await transactions.alone(() => engine.vacuum(VACUUM_PAGES));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    hurry: () => engine.hurry(),
    close() {
      engine.interrupt();
      closing ??= transactions.alone(() => engine.close());
      return closing;
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
  return store;
}

/** Brings the schema to what this program knows, or says why it cannot. */
async function agree(
  engine: Engine,
  options: { readOnly: boolean; migrations: readonly Migration[] },
): Promise<number[]> {
  const { migrations, readOnly } = options;
  const file = engine.name;
  const known = migrations.at(-1)?.number ?? 0;
  const found = await schemaOf(engine.reader, engine.dialect);
  if (found === undefined) throw codes['BBX-STO-FOREIGN']({ file });
  if (found > known) throw codes['BBX-STO-NEWER-SCHEMA']({ file, found, known });
  if (found === known) return [];
  if (readOnly && found === 0) throw codes['BBX-STO-MISSING']({ file });
  if (readOnly) throw codes['BBX-STO-OLDER-SCHEMA']({ file, found, known });
  return migrate({
    db: engine.writer,
    dialect: engine.dialect,
    migrations,
    from: found,
    first: (tx) => setMeta(tx, 'epoch', newName()),
  });
}

/** 128 random bits. */
function newName(): string {
  return randomBytes(16).toString('hex');
}

import { Kysely, PostgresDialect } from 'kysely';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { QueryResult } from 'pg';
import type { PostgresAddress } from '../../base/postgres-address.ts';
import { codes } from '../codes.ts';
import type { Engine, EngineEvents } from '../engine.ts';
import type { Tables } from '../tables.ts';
import { createHold } from './hold.ts';
import { openLine, type Line } from './line.ts';
import { createReaders } from './readers.ts';
import { connect, targetOf, type Session } from './session.ts';

/**
 * One transaction, over all its statements. Each of them has its own limit, so a slow server only holds things up; but it must end some
 * day, since others wait behind it.
 */
const TRANSACTION_MS = 10 * 60_000;

/** What reads a snapshot may write it to something slow meanwhile, such as a pipe to another machine. */
const SNAPSHOT_IDLE = '1h';

/** A migration may rewrite a table of years. */
const MIGRATION_MS = 60 * 60_000;

/**
 * Opens a PostgreSQL database with a connection that writes and some that read. With `sole` the caller is the store's only master, and
 * stays it (see hold.ts). Errors: BBX-STO-AWAY, -LOGIN, -TLS, -NO-DATABASE, -RIGHTS, -OPEN, -HELD.
 */
export async function openPostgresEngine(
  address: PostgresAddress,
  options: EngineEvents & {
    dir: string;
    env: NodeJS.ProcessEnv;
    readOnly: boolean;
    sole: boolean;
    waitMs: number;
    signal: AbortSignal | undefined;
  },
): Promise<Engine> {
  const { dir, env, readOnly, sole, waitMs, signal, onAway, onTaken } = options;
  const target = targetOf(address, { dir, env });
  const store = target.name;
  if (readOnly) {
    const look = (signal?: AbortSignal) => connect(target, 'look', signal);
    const readers = createReaders({ store, connect: look, first: await look() });
    const reader = databaseOver(readers.query);
    const hurry = () => undefined;
    return engineOf({ store, writer: reader, reader, line: undefined, look, hurry, close: readers.close });
  }
  const hurrying = new AbortController();
  const line = await openLine({
    store,
    hurried: hurrying.signal,
    connect: (signal) => connect(target, 'write', signal),
    hold: sole ? createHold(store, { dir }) : undefined,
    onAway,
    onTaken,
    waitMs,
    signal,
  });
  const readers = createReaders({
    store,
    hurried: hurrying.signal,
    connect: (signal) => connect(target, 'read', signal),
  });
  return engineOf({
    store,
    writer: databaseOver(queryOf(line)),
    reader: databaseOver(readers.query),
    line,
    look: () => connect(target, 'look'),
    hurry: () =>
      hurrying.abort(codes['BBX-STO-AWAY']({ store, problem: 'it is not waited for any more, at the end' })),
    async close() {
      await readers.close();
      await line.close();
    },
  });
}

function engineOf(parts: {
  store: string;
  writer: Kysely<Tables>;
  reader: Kysely<Tables>;
  line: Line | undefined;
  look: () => Promise<Session>;
  hurry: () => void;
  close: () => Promise<void>;
}): Engine {
  const { store, writer, reader, line, look, hurry, close } = parts;
  return {
    dialect: 'postgres',
    name: store,
    writer,
    reader,
    transactionMs: TRANSACTION_MS,
    async snapshot(act) {
      const session = await look();
      try {
        await session.query(
          `set idle_in_transaction_session_timeout = '${SNAPSHOT_IDLE}'; begin isolation level repeatable read read only`,
        );
        return await act(databaseOver((text, parameters) => session.query(text, parameters)));
      } finally {
        await session.close();
      }
    },
    // The line itself waits.
    isBusy: () => false,
    overdue(ms) {
      const problem = `a transaction was not over after ${ms} ms`;
      line?.drop(problem);
      return codes['BBX-STO-AWAY']({ store, problem });
    },
    async patiently(act) {
      line?.patience(MIGRATION_MS);
      try {
        return await act();
      } finally {
        line?.patience(undefined);
      }
    },
    own: () => line?.own() ?? Promise.resolve(),
    // PostgreSQL clears up by itself.
    vacuum: () => Promise.resolve(0),
    hurry,
    interrupt: () => line?.interrupt(),
    async close() {
      await close();
      await reader.destroy();
      if (writer !== reader) await writer.destroy();
    },
  };
}

type Query = (sql: string, parameters: readonly unknown[]) => Promise<QueryResult>;

/** kysely's own dialect over connections of ours: each statement goes where `query` sends it. */
function databaseOver(query: Query): Kysely<Tables> {
  const pool: PostgresPool = {
    options: {},
    end: () => Promise.resolve(),
    connect: () =>
      Promise.resolve({
        query,
        release: () => undefined,
      } as unknown as PostgresPoolClient),
  };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** Beginning and ending are the line's: they are more than a word. */
function queryOf(line: Line): Query {
  return async (sql, parameters) => {
    if (sql === 'begin') {
      await line.begin();
      return { command: 'BEGIN', rowCount: null, oid: 0, fields: [], rows: [] };
    }
    if (sql === 'commit') return line.commit();
    if (sql === 'rollback') return line.rollback();
    return line.query(sql, parameters);
  };
}

import { hostname, userInfo } from 'node:os';
import pg from 'pg';
import type { Client as PgClient, QueryResult } from 'pg';
import { printPostgresAddress, type PostgresAddress } from '../../base/postgres-address.ts';
import { codes } from '../codes.ts';
import { connectError, isLost, postgresError } from './error.ts';
import { passwordFor } from './password.ts';
import { tlsFor } from './tls.ts';

/** One connection that answers. */
export interface Session {
  /** Runs one statement, or several without parameters, of which the last one's result counts. Errors have our codes. */
  query(sql: string, parameters?: readonly unknown[]): Promise<QueryResult>;
  /** The process that serves it, and when that began: together they are never those of another. */
  readonly pid: number;
  readonly startedAt: string;
  /** The schema's own number, part of the names of its locks. */
  readonly schemaId: number;
  readonly dead: boolean;
  /** Called once when the connection ends, for whatever reason, with a sentence. */
  onEnd(listener: (problem: string) => void): void;
  /** How long a statement may take before the connection is given up. */
  patienceMs: number;
  /** Drops the connection at once: what the server has not finished, it rolls back. */
  destroy(why: string): void;
  close(): Promise<void>;
}

/** Where to connect, with what the place and the process add to it. */
export interface Target {
  readonly address: PostgresAddress;
  /** How it is called in messages. */
  readonly name: string;
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** `write` and `read` want the server that takes writes; `look` only reads, and takes a standby too. */
export type Purpose = 'write' | 'read' | 'look';

/** One host: reached, logged in, asked who it is. */
const CONNECT_MS = 5_000;

/** A statement of ours takes milliseconds; a server that says nothing for so long is not there any more. */
export const PATIENCE_MS = 30_000;

/** How long a connection is given to end in order. */
const CLOSE_MS = 1_000;

/** Kept prepared per connection; the store's functions have fewer different texts, lists of ids aside. */
const STATEMENTS = 300;

/** PostgreSQL 12 is the oldest that has everything which the schema uses. */
const OLDEST = 120_000;

const INT8 = 20;
const NUMERIC = 1_700;

/** Names of the statements that are kept prepared; the same in every connection. */
const statements = new Map<string, string>();

/**
 * Connects to the first host of the address that serves the purpose, asking the names anew each time. Errors: BBX-STO-AWAY when none does,
 * and what is wrong with the login, the certificate or the database at the first host that answers.
 */
export async function connect(target: Target, purpose: Purpose, signal?: AbortSignal): Promise<Session> {
  const problems: string[] = [];
  for (const { host, port } of target.address.hosts) {
    signal?.throwIfAborted();
    try {
      return await connectTo(target, host, port, purpose);
    } catch (error) {
      const failure = connectError(target.name, error);
      // Another host may still be the one; but a refused login is news in itself.
      if (failure.code !== 'BBX-STO-AWAY') throw failure;
      const problem = String(failure.data['problem']);
      problems.push(target.address.hosts.length > 1 ? `${host} port ${port}: ${problem}` : problem);
    }
  }
  throw codes['BBX-STO-AWAY']({ store: target.name, problem: problems.join('; ') });
}

/** The target of an address, with the names that it leaves out. */
export function targetOf(address: PostgresAddress, place: { dir: string; env: NodeJS.ProcessEnv }): Target {
  const user = address.user ?? place.env['PGUSER'] ?? userInfo().username;
  const whole = { ...address, user, database: address.database ?? user };
  return { ...place, address: whole, name: printPostgresAddress(whole) };
}

async function connectTo(target: Target, host: string, port: number, purpose: Purpose): Promise<Session> {
  const { address, name: store, dir, env } = target;
  const login = { host, port, user: address.user ?? '', database: address.database ?? '' };
  const client = new pg.Client({
    ...login,
    ssl: await tlsFor(host, address, { store, dir }),
    password: async () =>
      // An empty one is as good as none, and pg says so.
      (await passwordFor(login, { store, dir, file: address.passwordFile, env })) ?? '',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: `bbx ${purpose} ${hostname()}:${dir}`.slice(0, 63),
    types: { getTypeParser: parserOf },
  });
  const session = sessionOver(client, store);
  try {
    await client.connect();
    await setUp(session, target, purpose);
    return session;
  } catch (error) {
    session.destroy('it was not taken into use');
    throw error;
  }
}

/** Numbers of 64 bits are ids and counts, far below 2^53. */
const parserOf = ((oid: number, format?: 'text' | 'binary') =>
  (oid === INT8 || oid === NUMERIC) && format !== 'binary'
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser;

function sessionOver(client: PgClient, store: string) {
  const listeners = new Set<(problem: string) => void>();
  let ended: string | undefined;
  const end = (problem: string) => {
    if (ended !== undefined) return;
    ended = problem;
    for (const listener of listeners) listener(problem);
  };
  client.on('error', (error) => end(error.message));
  client.on('end', () => end('the connection was closed'));

  const session: Session & { pid: number; startedAt: string; schemaId: number } = {
    pid: 0,
    startedAt: '',
    schemaId: 0,
    patienceMs: PATIENCE_MS,
    get dead() {
      return ended !== undefined;
    },
    onEnd(listener) {
      if (ended === undefined) listeners.add(listener);
      else listener(ended);
    },
    destroy(why) {
      end(why);
      client.connection.stream.destroy();
    },
    async query(sql, parameters = []) {
      if (ended !== undefined) throw codes['BBX-STO-AWAY']({ store, problem: ended });
      const timer = setTimeout(
        () => session.destroy(`no answer came for ${session.patienceMs} ms`),
        session.patienceMs,
      );
      try {
        const result: unknown = await client.query(statementOf(sql, parameters));
        return (Array.isArray(result) ? result.at(-1) : result) as QueryResult;
      } catch (error) {
        // What pg says of a connection that we dropped is less than why.
        if (ended !== undefined && !(error instanceof pg.DatabaseError)) {
          throw codes['BBX-STO-AWAY']({ store, problem: ended }, { cause: error });
        }
        if (isLost(error)) session.destroy((error as Error).message);
        throw postgresError(store, error);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([client.end().catch(() => undefined), limit]);
      clearTimeout(timer);
      session.destroy('it was closed');
    },
  };
  return session;
}

/** A statement as pg takes it, prepared once per connection where it has parameters. */
function statementOf(sql: string, parameters: readonly unknown[]) {
  if (parameters.length === 0) return { text: sql };
  // PostgreSQL's texts hold no zero byte; it stands for itself nowhere.
  const values = parameters.map((value) =>
    typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value,
  );
  let name = statements.get(sql);
  if (name === undefined && statements.size < STATEMENTS)
    statements.set(sql, (name = `bbx${statements.size}`));
  return name === undefined ? { text: sql, values } : { name, text: sql, values };
}

/**
 * Makes the connection ours: whatever the server's or the user's defaults are, a commit is on the disk when it is answered, each statement
 * sees the newest state, and what this process leaves behind when it vanishes is cleared away soon.
 */
async function setUp(
  session: Session & { pid: number; startedAt: string; schemaId: number },
  target: Target,
  purpose: Purpose,
): Promise<void> {
  const { schema } = target.address;
  const own = schema === undefined ? '' : `set search_path = ${pg.escapeIdentifier(schema)};`;
  const look = await session.query(`${own}
    set default_transaction_isolation = 'read committed';
    set default_transaction_read_only = ${purpose === 'write' ? 'off' : 'on'};
    set lock_timeout = '10s';
    set idle_in_transaction_session_timeout = '60s';
    set statement_timeout = ${purpose === 'write' ? '0' : `'60s'`};
    set tcp_keepalives_idle = 15; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3;
    select pg_backend_pid() as pid, backend_start::text as started, pg_is_in_recovery() as standby,
      current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
      current_setting('synchronous_commit') as durable, current_schema() as schema,
      (select oid::bigint from pg_namespace where nspname = current_schema()) as schema_id
      from pg_stat_get_activity(pg_backend_pid())`);
  const [here] = look.rows as [
    {
      pid: number;
      started: string;
      standby: boolean;
      version: number;
      encoding: string;
      durable: string;
      schema: string | null;
      schema_id: number | null;
    },
  ];
  const file = target.name;
  if (here.version < OLDEST) {
    throw codes['BBX-STO-OPEN']({ file, problem: 'its PostgreSQL is older than 12; upgrade it' });
  }
  if (here.encoding !== 'UTF8') {
    const problem = `its encoding is ${here.encoding}; make the database with --encoding=UTF8`;
    throw codes['BBX-STO-OPEN']({ file, problem });
  }
  if (here.schema_id === null) {
    const problem = `the user may use no schema in it${schema === undefined ? '' : `, or it has no "${schema}"`}`;
    throw codes['BBX-STO-RIGHTS']({ store: file, problem });
  }
  if (here.standby && purpose !== 'look') {
    throw codes['BBX-STO-AWAY']({ store: file, problem: 'the server is a standby and takes no writes' });
  }
  if (here.durable === 'off') await session.query('set synchronous_commit = on');
  // It looks meanwhile whether we are still there, so that a lost connection's statement does not hold its locks to the end.
  if (here.version >= 140_000) await session.query(`set client_connection_check_interval = '5s'`);
  Object.assign(session, { pid: here.pid, startedAt: here.started, schemaId: here.schema_id });
}

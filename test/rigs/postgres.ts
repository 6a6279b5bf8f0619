import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { findPostgres, startPostgres, type PostgresServer } from '../../src/exec/postgres-server.ts';

/** The server that all tests of a run share: the directory of its socket. */
const SHARED = 'BBX_TEST_POSTGRES';
const USER = 'bbx';

/** Vitest's global set-up: one server for all tests of a project. Those that stop or starve a server start their own. */
export default async function startShared(): Promise<(() => Promise<void>) | undefined> {
  if (findPostgres() === undefined) return undefined;
  const server = await startPostgres();
  process.env[SHARED] = server.dir;
  return async () => {
    await server[Symbol.asyncDispose]();
  };
}

/** Whether there is a PostgreSQL for tests: `describe.skipIf(!hasPostgres())`. */
export function hasPostgres(): boolean {
  return findPostgres() !== undefined;
}

export interface Database {
  readonly name: string;
  /** The store's address of it. */
  readonly url: string;
  /** Runs SQL in it, as the superuser, on a connection of its own. */
  query(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

/**
 * A database for one test, made from `template` when given (nobody may be connected to that). It goes with its server: dropping one costs
 * PostgreSQL more than making it.
 */
export async function makeDatabase(
  options: { template?: string; server?: PostgresServer } = {},
): Promise<Database> {
  const dir = options.server?.dir ?? process.env[SHARED];
  if (dir === undefined) throw new Error('no PostgreSQL was started for these tests');
  const user = USER;
  const name = `t${randomBytes(6).toString('hex')}`;
  const template = options.template === undefined ? '' : ` template ${options.template}`;
  await asked(dir, user, 'postgres', `create database ${name}${template}`);
  return {
    name,
    url: `postgres://${user}@${encodeURIComponent(dir)}/${name}`,
    query: (sql, parameters) => asked(dir, user, name, sql, parameters),
  };
}

async function asked(
  host: string,
  user: string,
  database: string,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ host, user, database, application_name: 'test' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query(sql, [...parameters]);
    return rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

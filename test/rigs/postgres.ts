import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { inject } from 'vitest';
import { findPostgres, startPostgres, type PostgresServer } from '../../src/exec/postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that all tests of a run share: directory of its socket, and user; undefined where PostgreSQL is not installed. */
    postgres: { dir: string; user: string } | undefined;
  }
}

/** Vitest's global set-up: one server for all tests of a project. Those that stop or starve a server start their own. */
export default async function startShared(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (findPostgres() === undefined) {
    project.provide('postgres', undefined);
    return undefined;
  }
  const server = await startPostgres();
  project.provide('postgres', { dir: server.dir, user: server.user });
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
  const shared = options.server ?? inject('postgres');
  if (shared === undefined) throw new Error('PostgreSQL is not installed');
  const { dir, user } = shared;
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

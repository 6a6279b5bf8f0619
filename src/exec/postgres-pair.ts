import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, type PostgresServer, type PostgresServerOptions } from './postgres-server.ts';

/** A PostgreSQL with a place for another, which can take over from it, and it again from that one. */
export interface PostgresPair extends AsyncDisposable {
  /** The one that takes writes. */
  readonly server: PostgresServer;
  /** The store's address; it names both places. */
  url(database?: string): string;
  /**
   * Gives the server a standby that has all of it, ends the server, and lets the standby take over when `meanwhile` is done. The place of the old
   * one is free then for the next standby.
   */
  failOver(how: 'immediate' | 'kill', meanwhile: () => Promise<void>): Promise<void>;
}

/** Starts one server; throws as `startPostgres` does. */
export async function startPair(options: PostgresServerOptions = {}): Promise<PostgresPair> {
  let server = await startPostgres(options);
  const places = [server.dir, await mkdtemp(join(tmpdir(), 'bbx-pg-'))];
  return {
    get server() {
      return server;
    },
    url: (database = 'postgres') =>
      `postgres://${server.user}@${places.map(encodeURIComponent).join(',')}/${database}`,
    async failOver(how, meanwhile) {
      const old = server;
      const inPlaceOf = places.find((place) => place !== old.dir)!;
      const standby = await startPostgres({ ...options, standbyOf: old, inPlaceOf });
      try {
        await old.waitForStandby();
        await old.stop(how);
        await meanwhile();
        await standby.promote();
      } catch (error) {
        await standby.stop('immediate');
        throw error;
      }
      server = standby;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      for (const place of places) await rm(place, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

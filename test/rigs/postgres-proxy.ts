import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from './temp-dir.ts';

/**
 * What happens to connections: `through`, or `refuse` (also those that are open), or a commit's fate: `lose-commit` cuts before the server
 * hears of it, `lose-answer` after it has answered. Both happen once.
 */
export type Fate = 'through' | 'refuse' | 'lose-commit' | 'lose-answer';

/** Stands between a store and its server, on a unix socket of its own, and cuts where it is told. */
export interface PostgresProxy extends AsyncDisposable {
  /** The store's address by way of the proxy. */
  url(user: string, database: string): string;
  set(fate: Fate): void;
  /** Time that everything takes longer on its way to the server, ms. */
  delayMs: number;
  /** Cuts what is open now. */
  cut(): void;
}

export async function startPostgresProxy(serverDir: string): Promise<PostgresProxy> {
  const dir = await tempDir();
  const path = join(dir.path, '.s.PGSQL.5432');
  const open = new Set<Socket>();
  let fate: Fate = 'through';
  const proxy: PostgresProxy = {
    delayMs: 0,
    url: (user, database) => `postgres://${user}@${encodeURIComponent(dir.path)}/${database}`,
    set(next) {
      fate = next;
      if (next === 'refuse') proxy.cut();
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      proxy.cut();
      server.close();
      await once(server, 'close');
      await rm(path, { force: true });
      await dir[Symbol.asyncDispose]();
    },
  };
  const server = createServer((client) => {
    if (fate === 'refuse') return void client.destroy();
    const upstream = connect(join(serverDir, '.s.PGSQL.5432'));
    let losing = false;
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    client.on('data', (bytes) => {
      const commits = bytes.includes('commit');
      if (commits && fate === 'lose-commit') {
        fate = 'through';
        client.destroy();
        return;
      }
      if (commits && fate === 'lose-answer') {
        fate = 'through';
        losing = true;
      }
      if (proxy.delayMs === 0) upstream.write(bytes);
      else setTimeout(() => upstream.destroyed || upstream.write(bytes), proxy.delayMs);
    });
    upstream.on('data', (bytes) => {
      if (losing) client.destroy();
      else client.write(bytes);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return proxy;
}

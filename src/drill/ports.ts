import { once } from 'node:events';
import { createServer } from 'node:net';

/** IPv6 where the host has it. */
export async function loopback(): Promise<string> {
  const server = createServer();
  try {
    server.listen(0, '::1');
    await once(server, 'listening');
    return '::1';
  } catch {
    return '127.0.0.1';
  } finally {
    server.close();
  }
}

/** Farms are made side by side, and each takes its ports a while after they were chosen. */
const given = new Set<number>();

/**
 * A free port that stays free while the master is away: below the range (32768 and up) from which the system takes the ports of connections, of
 * which a drill makes thousands.
 */
export async function freePort(host: string): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (given.has(port) && tries < 50) continue;
    given.add(port);
    const server = createServer();
    try {
      server.listen(port, host);
      await once(server, 'listening');
      return port;
    } catch (error) {
      if (tries > 50) throw error;
    } finally {
      server.close();
    }
  }
}

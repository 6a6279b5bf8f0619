import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readListener } from '../../../src/diagnostics/doors/listeners.ts';
import { host, listener } from './recorded.ts';

/** Listens on loopback; undefined where somebody else does. */
function hold(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** Two ports in a row. */
async function holdTwo(): Promise<{ first: Server; second: Server; port: number }> {
  for (;;) {
    const first = await hold(0);
    const { port } = first?.address() as AddressInfo;
    const second = await hold(port + 1);
    if (first !== undefined && second !== undefined) return { first, second, port };
    first?.close();
  }
}

describe('the ports behind one that is held', () => {
  it('are offered where nobody holds them', async () => {
    const { first, second, port } = await holdTwo();
    try {
      const { binds, free } = await readListener(listener(`127.0.0.1:${port}`, { state: 'stopped' }), {
        host: host(),
        connect: () => Promise.reject(new Error('nobody is connected to')),
      });
      expect(binds).toEqual([{ address: '127.0.0.1', errno: 'EADDRINUSE' }]);
      expect(free.length).toBeGreaterThan(0);
      expect(free.filter((one) => one <= port + 1 || one > 65_535)).toEqual([]);
    } finally {
      first.close();
      second.close();
    }
  });
});

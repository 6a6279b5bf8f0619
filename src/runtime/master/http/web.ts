import type { Log } from '../../../base/log.ts';
import { listen } from '../../../net/listen.ts';
import type { ListenAddress } from '../../../net/endpoint/listen-address.ts';
import { endsOf } from '../../../net/peer.ts';
import { createTunnel, TUNNEL_PROTOCOL } from '../../../net/tunnel.ts';
import { createWebSocketAcceptor } from '../../../net/web-socket.ts';
import { createApp } from './app.ts';
import type { Duplex } from 'node:stream';

/** Where workers come in on the web port, so that one port, or one reverse proxy, serves all. */
const WORKER_PATH = '/bbx/worker';
/** For a whole request: nothing large is taken here yet. */
const REQUEST_MS = 30_000;
const BODY_BYTES = 64 * 1024;

export interface WebPort {
  readonly bound: readonly string[];
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** The web port: `/health`, and the worker path, whose WebSocket carries the same pinned TLS as the worker port. */
export async function openWebPort(options: {
  addresses: readonly ListenAddress[];
  log: Log;
  /** Gets the bytes inside the tunnel: TLS begins there. */
  onTunnel: (stream: Duplex, ends: { peer: string; local: string }) => void;
  mayCome: () => boolean;
}): Promise<WebPort> {
  const { addresses, log, onTunnel, mayCome } = options;
  const { app, server: http } = await createApp(log, {
    bodyLimit: BODY_BYTES,
    http: { requestTimeout: REQUEST_MS },
  });
  app.get('/health', async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  await app.ready();
  const acceptor = createWebSocketAcceptor({ path: WORKER_PATH, protocol: TUNNEL_PROTOCOL });
  http.on('upgrade', (request, stream, head) => {
    if (!mayCome()) {
      stream.destroy();
      return;
    }
    // Read before anything can end the connection, which then has none.
    const ends = endsOf(request.socket);
    const socket = acceptor.upgrade(request, stream, head);
    if (socket === undefined) return;
    onTunnel(createTunnel(socket), ends);
  });
  const listener = await listen({
    addresses,
    onConnection: ({ stream }) => void http.emit('connection', stream),
  });
  return {
    bound: listener.bound,
    notes: listener.notes,
    async close() {
      await Promise.all([listener.close(0), app.close()]);
    },
  };
}

import type { Log } from '../../../base/log.ts';
import type { Connection } from '../../../net/hops/connection.ts';
import { createWebSocketAcceptor } from '../../../net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../../protocol/bbx/keys.ts';
import { oneLine } from '../trouble.ts';
import type { WorkerSessions } from './sessions.ts';

/**
 * What happens to a connection whose TLS stands, wherever it came in: its WebSocket, then its session. Over the limit of connections that are
 * not let in yet it is cut off. What it gives resolves when the connection is let in, or gone.
 */
export function createWorkerPort(options: {
  sessions: WorkerSessions;
  log: Log;
  signal: AbortSignal;
}): (connection: Connection) => Promise<void> {
  const { sessions, log, signal } = options;
  const acceptor = createWebSocketAcceptor();
  return async ({ stream, peer, secured }) => {
    if (!sessions.mayCome()) {
      stream.destroy();
      return;
    }
    const uncount = sessions.counting();
    try {
      const socket = await acceptor.accept(stream, { peer, signal });
      uncount();
      const exporter = secured?.exporter(EXPORTER_LABEL, EXPORTER_BYTES) ?? new Uint8Array(0);
      await sessions.serve(socket, { peer, exporter });
    } catch (error) {
      uncount();
      stream.destroy();
      log.debug('No worker came of a connection', { peer, error: oneLine(error) });
    }
  };
}

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Between two tries to connect; a try costs the machine next to nothing. */
const TRY_EVERY_MS = 2;
const LIMIT_MS = 20_000;

/** Resolves when somebody takes connections there. */
export async function opened(port: number, host = '::1'): Promise<void> {
  const until = performance.now() + LIMIT_MS;
  while (performance.now() < until) {
    const socket = connect(port, host);
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(TRY_EVERY_MS);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`port ${port} did not open`);
}

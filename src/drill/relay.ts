import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** `up` is from the worker to the master. */
export type Direction = 'up' | 'down';

/**
 * One worker's link: a TCP relay on loopback that can be cut, slowed and broken. What is held up stays in the sockets, as packets that are sent again
 * until the line is back; a closing is not told over a line that is cut.
 */
export interface Relay extends AsyncDisposable {
  /** Where the worker dials. */
  readonly address: string;
  /** Monotonic ms of the connections that were taken from the worker, oldest first. */
  readonly dials: readonly number[];
  readonly connections: number;
  /** Ends that do not know yet that the other end is gone. */
  readonly halfOpened: number;
  hold(...directions: Direction[]): void;
  /** Everything flows again, at full speed. */
  heal(): void;
  slow(weather: { bytesPerSecond: number; latencyMs: number }): void;
  /** Everything open is reset, as by a firewall that forgot it. */
  reset(): void;
  /** One end of everything open is reset; the other is not told, and hears nothing any more. */
  halfOpen(told: 'worker' | 'master'): void;
}

/** Starts a relay to a master at `host`:`port`. */
export async function startRelay(host: string, port: number): Promise<Relay> {
  const pairs = new Set<readonly [worker: Socket, master: Socket]>();
  /** Ends whose other end is gone without their knowing. */
  const deaf = new Set<Socket>();
  const held = new Set<Direction>();
  let weather: { bytesPerSecond: number; latencyMs: number } | undefined;
  let changed = Promise.withResolvers<void>();
  let closed = false;
  const dials: number[] = [];

  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  /** Resolves when the line lets bytes pass; in good weather at once. */
  const pass = async (direction: Direction, bytes: number) => {
    while (held.has(direction) && !closed) await changed.promise;
    if (weather === undefined || closed) return;
    const ms = weather.latencyMs + (bytes / weather.bytesPerSecond) * 1_000;
    const wait = Promise.withResolvers<void>();
    const timer = setTimeout(wait.resolve, ms);
    await Promise.race([wait.promise, changed.promise]);
    clearTimeout(timer);
  };

  async function pump(from: Socket, to: Socket, direction: Direction): Promise<void> {
    let broken = false;
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        if (deaf.has(from)) continue;
        await pass(direction, chunk.length);
        if (to.destroyed || deaf.has(from)) continue;
        if (!to.write(chunk)) await drained(to);
      }
    } catch {
      // Reset by the peer, or by us.
      broken = true;
    }
    await pass(direction, 0);
    if (deaf.has(to)) return;
    if (broken) to.destroy();
    else to.end();
  }

  const server = createServer({ allowHalfOpen: false }, (worker) => {
    dials.push(performance.now());
    const master = createConnection({ host, port });
    const pair = [worker, master] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => deaf.delete(socket));
    }
    void Promise.all([pump(worker, master, 'up'), pump(master, worker, 'down')]).then(() =>
      pairs.delete(pair),
    );
  });
  server.listen(0, host);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;

  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${bound}`,
    dials,
    get connections() {
      return pairs.size;
    },
    get halfOpened() {
      return deaf.size;
    },
    hold(...directions) {
      for (const direction of directions) held.add(direction);
    },
    slow(next) {
      weather = next;
    },
    heal() {
      held.clear();
      weather = undefined;
      wake();
    },
    reset() {
      for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    },
    halfOpen(told) {
      for (const [worker, master] of pairs) {
        const [gone, left] = told === 'worker' ? [worker, master] : [master, worker];
        deaf.add(left);
        gone.resetAndDestroy();
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      held.clear();
      wake();
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Resolves when the socket takes more, or never will. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeListener('drain', done).removeListener('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/** A TCP relay on loopback whose cable can be pulled: nothing passes, nothing is closed, as with an unplugged link. */
export interface CuttableRelay extends AsyncDisposable {
  readonly address: string;
  /** Where connections go, `[::1]:9989`; set when it is known. */
  target: string;
  /** Own address of the connections that are made from now on, as if whoever connects had moved; undefined: the system's choice. */
  from: string | undefined;
  /** Bytes stop in both directions; open connections stay open and silent; new ones are accepted and stay silent. */
  unplug(): void;
  /** Bytes flow again, those held up included. */
  plug(): void;
  /** What goes one way is swallowed from now on, what goes the other way passes; `near` is who has connected here. */
  swallow(to: 'near' | 'far'): void;
  /** Everything open is reset, as by a firewall that forgot it. */
  reset(): void;
  /** One end of everything open is reset; the other is not told, and hears nothing any more. `near` is who has connected here. */
  halfOpen(reset: 'near' | 'far'): void;
  connections(): number;
}

export async function cuttableRelay(): Promise<CuttableRelay> {
  const pairs = new Set<[Socket, Socket]>();
  /** Ends whose other end is gone without their knowing. */
  const deaf = new Set<Socket>();
  let unplugged = false;
  let swallowed: 'near' | 'far' | undefined;
  const server = createServer((near) => {
    const host = relay.target.startsWith('[') ? '::1' : '127.0.0.1';
    const port = Number(relay.target.split(':').at(-1));
    const far = createConnection({ host, port, ...(relay.from && { localAddress: relay.from }) });
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (bytes) => {
        if (deaf.has(from) || swallowed === (to === near ? 'near' : 'far')) return;
        if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => unplugged || from.resume());
        }
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        if (!deaf.has(to)) to.destroy();
        deaf.delete(from);
        pairs.delete(pair);
      });
    }
    if (unplugged) pair.forEach((socket) => socket.pause());
  });
  server.listen(0, '::1');
  await once(server, 'listening');
  const relay: CuttableRelay = {
    target: '',
    from: undefined,
    address: `[::1]:${(server.address() as AddressInfo).port}`,
    unplug() {
      unplugged = true;
      for (const pair of pairs) pair.forEach((socket) => socket.pause());
    },
    plug() {
      unplugged = false;
      for (const pair of pairs) pair.forEach((socket) => socket.resume());
    },
    swallow: (to) => void (swallowed = to),
    reset() {
      for (const pair of pairs) pair.forEach((socket) => socket.resetAndDestroy());
    },
    halfOpen(reset) {
      for (const [near, far] of pairs) {
        const [gone, left] = reset === 'near' ? [near, far] : [far, near];
        deaf.add(left);
        gone.resetAndDestroy();
      }
    },
    connections: () => pairs.size,
    async [Symbol.asyncDispose]() {
      for (const pair of pairs) pair.forEach((socket) => socket.destroy());
      for (const socket of deaf) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return relay;
}

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { parseListen } from '../../src/net/endpoint/listen-address.ts';
import { listen } from '../../src/net/listen.ts';
import { parseTcpTable } from '../../src/net/proc.ts';
import { issue } from '../rigs/certificates.ts';
import { until } from '../rigs/wait.ts';

const leaf = issue({ subject: 'leaf', names: ['localhost'] });
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** A listener with one place: each connection keeps it until the test lets that one in. */
async function onePlace(handshakeMs = 10_000) {
  const came: { letIn: () => void; peer: string }[] = [];
  const listener = await listen({
    addresses: [parseListen('127.0.0.1:0')],
    tls: { key: leaf.key, cert: leaf.cert, places: 1, handshakeMs },
    onConnection({ peer, stream }) {
      stream.resume();
      const { promise, resolve } = Promise.withResolvers<void>();
      came.push({ letIn: resolve, peer });
      return promise;
    },
  });
  open.push(listener);
  const dial = async () => {
    const socket = connectTls({ host: '127.0.0.1', port: listener.port!, rejectUnauthorized: false });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const secured = once(socket, 'secureConnect').then(() => true);
    secured.catch(() => undefined);
    return { socket, secured, peer: `127.0.0.1:${socket.localPort}` };
  };
  return { came, dial, port: listener.port! };
}

/** Bytes of a client that the kernel holds since nobody has read them. */
async function unread(client: Socket): Promise<number | undefined> {
  const rows = parseTcpTable(await readFile('/proc/self/net/tcp', 'utf8'));
  // By both ends: others on this machine have the port of one of them.
  return rows.find((row) => row.remotePort === client.localPort && row.localPort === client.remotePort)
    ?.receiveQueue;
}

describe('connections that come while all places are taken', () => {
  it('wait unread, and begin in the order in which they came', async () => {
    const { came, dial } = await onePlace();
    const first = await dial();
    await first.secured;
    const second = await dial();
    const third = await dial();
    const fourth = await dial();
    // One that gives up is nobody's turn.
    third.socket.destroy();
    await once(third.socket, 'close');
    await until('the first to come', () => came.length === 1);
    came[0]?.letIn();
    await second.secured;
    await until('the second to come', () => came.length === 2);
    came[1]?.letIn();
    await fourth.secured;
    await until('the fourth to come', () => came.length === 3);
    expect(came.map(({ peer }) => peer)).toEqual([first.peer, second.peer, fourth.peer]);
    for (const { socket } of [first, second, fourth]) socket.destroy();
  });

  it('cost no memory meanwhile: what they send stays with the kernel', async () => {
    const { came, dial } = await onePlace();
    const first = await dial();
    await first.secured;
    const second = await dial();
    await until('its first message to arrive', async () => ((await unread(second.socket)) ?? 0) > 0);
    const greeting = await unread(second.socket);
    // A listener that read it would have by the time in which another one has come and spoken.
    const third = await dial();
    await until('the third to speak', async () => ((await unread(third.socket)) ?? 0) > 0);
    expect(await unread(second.socket)).toBe(greeting);
    await until('the first to come', () => came.length === 1);
    came[0]?.letIn();
    await second.secured;
    expect(await unread(second.socket)).toBe(0);
    for (const { socket } of [first, second, third]) socket.destroy();
  });

  it('are cut off when they have waited as long as a handshake may take', async () => {
    const { dial } = await onePlace(500);
    const first = await dial();
    await first.secured;
    const second = await dial();
    await new Promise((resolve) => second.socket.once('close', resolve));
    expect(first.socket.destroyed).toBe(false);
    first.socket.destroy();
  });

  it('have the place of one that fails its handshake', async () => {
    const { came, dial, port } = await onePlace();
    const stranger = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(stranger, 'connect');
    const second = await dial();
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await second.secured;
    await until('the second to come', () => came.length > 0);
    expect(came.map(({ peer }) => peer)).toEqual([second.peer]);
    for (const socket of [stranger, second.socket]) socket.destroy();
  });
});

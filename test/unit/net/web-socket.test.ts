import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../../../src/net/dial.ts';
import { parseAddress } from '../../../src/net/endpoint/address.ts';
import { listen } from '../../../src/net/listen.ts';
import type { MessageSocket } from '../../../src/net/message-socket.ts';
import type { AcceptorOptions } from '../../../src/net/web-socket.ts';
import { createWebSocketAcceptor, openWebSocket } from '../../../src/net/web-socket.ts';
import type { MessageSocket as Wire } from '../../../src/protocol/bbx/wire.ts';
import { failureOf } from './rig.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function serve(options: AcceptorOptions = {}) {
  const acceptor = createWebSocketAcceptor(options);
  const accepted = Promise.withResolvers<MessageSocket>();
  accepted.promise.catch(() => undefined);
  const listener = await listen({
    addresses: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    onConnection: ({ stream, peer }) => {
      acceptor.accept(stream, { peer }).then(accepted.resolve, accepted.reject);
    },
  });
  open.push(listener);
  return { port: listener.port ?? 0, accepted: accepted.promise };
}

async function pair({ unseen = false, written = [] as Buffer[] } = {}): Promise<{
  client: Wire;
  server: Wire;
}> {
  const { port, accepted } = await serve({ path: '/w', protocol: 'bbx.test' });
  const { stream } = await dial({ to: parseAddress(`127.0.0.1:${port}`), via: [] });
  const write = stream.write.bind(stream);
  stream.write = (chunk: Buffer, ...rest: never[]) => {
    written.push(Buffer.from(chunk));
    return write(chunk, ...rest);
  };
  const client = await openWebSocket(stream, {
    target: `127.0.0.1:${port}`,
    path: '/w',
    protocol: 'bbx.test',
    unseen,
  });
  const server = await accepted;
  open.push({ [Symbol.asyncDispose]: async () => void (client.destroy(), server.destroy()) });
  return { client, server };
}

/** Collects what a socket is told, and resolves when there are so many entries. */
function record(socket: Wire) {
  const seen: unknown[] = [];
  let alive = 0;
  let drained = 0;
  let wake: () => void = () => undefined;
  const push = (entry: unknown) => {
    seen.push(entry);
    wake();
  };
  socket.on({
    text: (text) => push(text),
    binary: (bytes) => push([...bytes.subarray(0, 3), bytes.byteLength]),
    alive: () => {
      alive += 1;
      wake();
    },
    drained: () => {
      drained += 1;
      wake();
    },
    closed: (code, reason, error) => push({ code, reason, error: error?.message }),
  });
  return {
    seen,
    counts: () => ({ alive, drained }),
    async until(reached: () => boolean) {
      while (!reached()) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

describe('a message socket', () => {
  it('delivers texts and bytes whole and in one order, also those sent before anybody listened', async () => {
    const { client, server } = await pair();
    client.sendText('first');
    client.sendBinary(Buffer.from([1, 2, 3, 4]));
    client.sendText('ünïcode');
    await new Promise((resolve) => setImmediate(resolve));
    const heard = record(server);
    await heard.until(() => heard.seen.length === 3);
    expect(heard.seen).toEqual(['first', [1, 2, 3, 4], 'ünïcode']);
  });

  it.each([
    ['masks what proxies on the way could see', false],
    ['does not mask what travels inside TLS', true],
  ])('%s', async (_, unseen) => {
    const written: Buffer[] = [];
    const { client, server } = await pair({ unseen, written });
    const got = record(server);
    const bytes = Buffer.from('GET /secrets HTTP/1.1');
    client.sendBinary(bytes);
    await got.until(() => got.seen.length === 1);
    expect(got.seen).toEqual([[71, 69, 84, bytes.length]]);
    expect(Buffer.concat(written).includes(bytes)).toBe(unseen);
  });

  it('shows life for a ping, at both ends', async () => {
    const { client, server } = await pair();
    const [atClient, atServer] = [record(client), record(server)];
    client.ping();
    await atServer.until(() => atServer.counts().alive > 0);
    await atClient.until(() => atClient.counts().alive > 0);
    expect([...atClient.seen, ...atServer.seen]).toEqual([]);
  });

  it('tells the closing code and reason, once, at both ends', async () => {
    const { client, server } = await pair();
    const [atClient, atServer] = [record(client), record(server)];
    server.sendText('last word');
    server.close(4001, 'refused');
    server.sendText('too late');
    await atClient.until(() => atClient.seen.length === 2);
    await atServer.until(() => atServer.seen.length === 1);
    expect(atClient.seen).toEqual(['last word', { code: 4001, reason: 'refused', error: undefined }]);
    expect(atServer.seen).toEqual([{ code: 4001, reason: 'refused', error: undefined }]);
  });

  it('tells the end to one who listens only afterwards', async () => {
    const { client, server } = await pair();
    const atServer = record(server);
    server.destroy();
    await atServer.until(() => atServer.seen.length === 1);
    const atClient = record(client);
    await atClient.until(() => atClient.seen.length === 1);
    expect(atClient.seen).toMatchObject([{ code: 1006 }]);
  });

  it('refuses a message over its limit before it is in memory, and takes it when the limit is raised', async () => {
    const { client, server } = await pair();
    const heard = record(server);
    server.limit(1_000_000);
    client.sendBinary(Buffer.alloc(900_000));
    await heard.until(() => heard.seen.length === 1);
    server.limit(1_000);
    const atClient = record(client);
    client.sendBinary(Buffer.alloc(1_001));
    await atClient.until(() => atClient.seen.length === 1);
    await heard.until(() => heard.seen.length === 2);
    expect(heard.seen[1]).toMatchObject({ error: expect.stringContaining('Max payload size exceeded') });
    expect(atClient.seen[0]).toMatchObject({ code: 1009 });
  });

  it('starts with a limit that a greeting fits and no more', async () => {
    const { client, server } = await pair();
    const heard = record(server);
    client.sendBinary(Buffer.alloc(128 * 1024 + 1));
    await heard.until(() => heard.seen.length === 1);
    expect(heard.seen[0]).toMatchObject({ error: expect.stringContaining('Max payload') });
  });

  it('holds the sender up while it is paused, and says when its queue has fallen', async () => {
    const { client, server } = await pair();
    const [atClient, atServer] = [record(client), record(server)];
    server.pause();
    server.limit(100_000);
    const count = 400;
    for (let sent = 0; sent < count; sent += 1) client.sendBinary(Buffer.alloc(64 * 1024));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.unsent).toBeGreaterThan(1_000_000);
    server.resume();
    await atServer.until(() => atServer.seen.length === count);
    await atClient.until(() => client.unsent === 0);
    expect(atClient.counts().drained).toBeGreaterThan(0);
  });

  it('cuts a reason that is too long for a closing frame', async () => {
    const { client, server } = await pair();
    const [atClient] = [record(client), record(server)];
    server.close(4001, 'ü'.repeat(200));
    await atClient.until(() => atClient.seen.length === 1);
    expect(atClient.seen).toMatchObject([{ code: 4001, reason: 'ü'.repeat(61) }]);
  });
});

describe('an acceptor', () => {
  async function ask(port: number, text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(text);
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    await once(socket, 'close');
    return answer.split('\r\n')[0] ?? '';
  }
  const upgrade = (path: string, extra = '') =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`;
  const offer = 'Sec-WebSocket-Protocol: bbx.test\r\n';

  it.each([
    ['a page', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'HTTP/1.1 426 Upgrade Required'],
    ['another path', upgrade('/other', offer), 'HTTP/1.1 404 Not Found'],
    ['no protocol', upgrade('/w'), 'HTTP/1.1 400 Bad Request'],
    [
      'a page of a browser',
      upgrade('/w', `${offer}Origin: https://evil.example\r\n`),
      'HTTP/1.1 403 Forbidden',
    ],
    ['a broken key', upgrade('/w', offer).replace('dGhl', '!'), 'HTTP/1.1 400 Bad Request'],
    ['headers that are too long', upgrade('/w', `X: ${'a'.repeat(20_000)}\r\n`), ''],
    ['no HTTP', '\u0016\u0003\u0001\u0000\u0000\r\n\r\n', ''],
  ])('answers %s with an end', async (_title, text, status) => {
    const { port, accepted } = await serve({ path: '/w', protocol: 'bbx.test' });
    expect(await ask(port, text)).toBe(status);
    expect(await failureOf(accepted)).toMatchObject({ code: 'BBX-NET-UPGRADE' });
  });

  it('has a limit for a peer that says nothing', async () => {
    const { port, accepted } = await serve({ limitMs: 100 });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    await once(socket, 'close');
    expect(await failureOf(accepted)).toMatchObject({ code: 'BBX-NET-TIME' });
  });
});

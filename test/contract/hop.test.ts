import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Route } from '../../src/net/dial.ts';
import { dial } from '../../src/net/dial.ts';
import { parseAddress } from '../../src/net/endpoint/address.ts';
import { parseListen } from '../../src/net/endpoint/listen-address.ts';
import type { Connection } from '../../src/net/hops/connection.ts';
import { listen } from '../../src/net/listen.ts';
import { createTlsServer } from '../../src/net/tls/server.ts';
import { createTunnel, TUNNEL_PROTOCOL } from '../../src/net/tunnel.ts';
import { createWebSocketAcceptor } from '../../src/net/web-socket.ts';
import { failureOf, makeIdentity, readBytes } from '../unit/net/rig.ts';

const identity = makeIdentity();
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

type Serve = (onConnection: (connection: Connection) => void) => Promise<Route>;

async function bound(text: string, tls: boolean, onConnection: (connection: Connection) => void) {
  const listener = await listen({
    addresses: [parseListen(text)],
    onConnection,
    ...(tls ? { tls: identity } : {}),
  });
  open.push(listener);
  return listener.bound[0] ?? '';
}

/** What a web port does with its worker path: WebSocket, tunnel, and inside it the pinned TLS. */
function workerPath(inner: (connection: Connection) => void, pinned: boolean) {
  const acceptor = createWebSocketAcceptor({ path: '/worker', protocol: TUNNEL_PROTOCOL });
  const tls = createTlsServer(identity, inner);
  return ({ stream, peer, local }: Connection) => {
    acceptor.accept(stream, { peer }).then(
      (socket) => {
        const tunnel = createTunnel(socket);
        if (pinned) tls.secure(tunnel, { peer, local });
        else inner({ stream: tunnel, peer, local, secured: undefined, evidence: [] });
      },
      () => undefined,
    );
  };
}

const WAYS: Record<string, Serve> = {
  'tcp over IPv4': async (on) => ({ to: parseAddress(await bound('127.0.0.1:0', false, on)), via: [] }),
  'tcp over IPv6': async (on) => ({ to: parseAddress(await bound('[::1]:0', false, on)), via: [] }),
  'a socket in the file system': async (on) => {
    const dir = await mkdtemp(join(tmpdir(), 'bbx-hop-'));
    open.push({ [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) });
    return { to: parseAddress(await bound(`unix:${dir}/s`, false, on)), via: [] };
  },
  'TLS with a pin': async (on) => ({
    to: parseAddress(await bound('localhost:0', true, on)),
    via: [],
    tls: { pins: [identity.pin] },
  }),
  'TLS with an authority': async (on) => ({
    to: parseAddress((await bound('localhost:0', true, on)).replace('[::1]', 'localhost')),
    via: [],
    tls: { ca: identity.cert },
  }),
  'a WebSocket': async (on) => ({
    to: parseAddress(`ws://${await bound('127.0.0.1:0', false, workerPath(on, false))}/worker`),
    via: [],
  }),
  'TLS with a pin inside a WebSocket inside TLS': async (on) => ({
    to: parseAddress(`wss://${await bound('[::1]:0', true, workerPath(on, true))}/worker`),
    via: [],
    web: { ca: identity.cert },
    tls: { pins: [identity.pin] },
  }),
};

describe.each(Object.entries(WAYS))('a connection over %s', (name, serve) => {
  const secure = name.startsWith('TLS');

  async function pair(): Promise<{ client: Connection; server: Connection; route: Route }> {
    const accepted = Promise.withResolvers<Connection>();
    const route = await serve(accepted.resolve);
    const client = await dial(route);
    open.push({ [Symbol.asyncDispose]: async () => void client.stream.destroy() });
    const server = await accepted.promise;
    open.push({ [Symbol.asyncDispose]: async () => void server.stream.destroy() });
    return { client, server, route };
  }

  it('carries bytes both ways, whole and in order', async () => {
    const { client, server } = await pair();
    const up = randomBytes(1_500_000);
    const down = randomBytes(700_000);
    client.stream.write(up);
    server.stream.write(down);
    const [gotUp, gotDown] = await Promise.all([
      readBytes(server.stream, up.length),
      readBytes(client.stream, down.length),
    ]);
    expect(gotUp.equals(up)).toBe(true);
    expect(gotDown.equals(down)).toBe(true);
  });

  it('holds the writer up when nobody reads, and loses nothing', async () => {
    const { client, server } = await pair();
    const chunk = Buffer.alloc(256 * 1024, 7);
    const wanted = createHash('sha256');
    let written = 0;
    // Far above what kernels and buffers on the way can hold.
    const most = 64 * 1024 * 1024;
    let accepted = true;
    while (written < most) {
      const flushed = new Promise<void>((resolve) => client.stream.write(chunk, () => resolve()));
      wanted.update(chunk);
      written += chunk.length;
      let timer: NodeJS.Timeout | undefined;
      accepted = await Promise.race([
        flushed.then(() => true),
        new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), 300))),
      ]);
      clearTimeout(timer);
      if (!accepted) break;
    }
    expect(accepted).toBe(false);
    expect(written).toBeLessThan(most);
    const got = createHash('sha256');
    let left = written;
    while (left > 0) {
      const part = await readBytes(server.stream, Math.min(left, 1_000_000));
      got.update(part);
      left -= part.length;
    }
    expect(got.digest('hex')).toBe(wanted.digest('hex'));
  });

  it('delivers everything that was written before the end, and then the end', async () => {
    const { client, server } = await pair();
    const text = randomBytes(300_000);
    client.stream.end(text);
    expect((await readBytes(server.stream, text.length)).equals(text)).toBe(true);
    server.stream.resume();
    if (!server.stream.readableEnded) await once(server.stream, 'end');
  });

  it('tells one side when the other is gone', async () => {
    const { client, server } = await pair();
    const closed = new Promise<void>((resolve) => client.stream.once('close', resolve));
    client.stream.resume();
    server.stream.destroy();
    await closed;
  });

  it('says who is at the other end, and what was observed on the way', async () => {
    const { client, server } = await pair();
    if (name.includes('file system')) expect(client.peer).toMatch(/^unix:\//);
    else expect([client.peer, client.local]).toEqual([server.local, server.peer]);
    if (!name.includes('file system')) expect(client.evidence.map(({ kind }) => kind)).toContain('connect');
  });

  it('gives both ends the same exporter bytes where there is TLS', async () => {
    const { client, server } = await pair();
    if (!secure) {
      expect(client.secured).toBeUndefined();
      return;
    }
    const bytes = client.secured?.exporter('EXPORTER-test', 32);
    expect(bytes).toHaveLength(32);
    expect(server.secured?.exporter('EXPORTER-test', 32)).toEqual(bytes);
    expect(server.secured?.exporter('EXPORTER-other', 32)).not.toEqual(bytes);
    expect(client.secured?.peerPin).toBe(identity.pin);
    const second = await dial((await pair()).route);
    open.push({ [Symbol.asyncDispose]: async () => void second.stream.destroy() });
    expect(second.secured?.exporter('EXPORTER-test', 32)).not.toEqual(bytes);
  });

  it('ends with the reason of the signal, before and during the dial', async () => {
    const route = await serve((connection: Connection) => void connection.stream.resume());
    const reason = new Error('enough');
    await expect(dial(route, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const dialled = dial(route, { signal: abort.signal });
    abort.abort(reason);
    await expect(dialled).rejects.toBe(reason);
  });

  it('reports a peer that is not there with every address', async () => {
    const { route } = await pair();
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
    const error = await failureOf(dial(route));
    expect(error.code).toMatch(/^BBX-NET-(REFUSED|UNIX)$/);
    expect(error.message).toMatch(/ECONNREFUSED|ENOENT/);
    expect(error.exit).toBe(3);
  });
});

describe.each(Object.entries(WAYS).filter(([name]) => name.startsWith('TLS with a pin')))(
  'a connection over %s',
  (_name, serve) => {
    it('refuses a peer with another key', async () => {
      const route = await serve(() => undefined);
      const error = await failureOf(dial({ ...route, tls: { pins: [makeIdentity().pin] } }));
      expect(error).toMatchObject({ code: 'BBX-NET-PIN', exit: 4, data: { got: identity.pin } });
    });
  },
);

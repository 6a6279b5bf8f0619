import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../../../src/net/dial.ts';
import { parseAddress } from '../../../src/net/endpoint/address.ts';
import { parseHop } from '../../../src/net/endpoint/hop.ts';
import type { Evidence } from '../../../src/net/evidence.ts';
import { connectLiteral, connectTcp } from '../../../src/net/hops/tcp.ts';
import { listen } from '../../../src/net/listen.ts';
import { failureOf, makeIdentity, tableResolver } from './rig.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** A server that does with each connection what it is told; gives its port. */
async function serve(onSocket: Parameters<typeof createServer>[1]): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket?.(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  return (server.address() as AddressInfo).port;
}

/** Like `connectTcp` in `dial`, with addresses that are silent for ever: no host of this test's network drops packets. */
async function connectSilent(options: {
  silent: string[];
  resolver: ReturnType<typeof tableResolver>;
  port: number;
  limitMs?: number;
}) {
  const evidence: Evidence[] = [];
  const socket = await connectTcp('ci.example', options.port, {
    resolver: options.resolver,
    signal: new AbortController().signal,
    limitMs: options.limitMs ?? 5_000,
    onEvidence: (one) => evidence.push(one),
    connectOne: (address, port, signal) =>
      options.silent.includes(address)
        ? new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error)),
          )
        : connectLiteral(address, port, signal),
  });
  open.push({ [Symbol.asyncDispose]: async () => void socket.destroy() });
  return { socket, evidence };
}

describe('dial', () => {
  it('connects within half a second to a name with a dead AAAA and a good A', { retry: 3 }, async () => {
    const port = await serve(() => undefined);
    const resolver = tableResolver({ 6: ['2001:db8::dead'], 4: ['127.0.0.1'] });
    const started = performance.now();
    const { socket, evidence } = await connectSilent({ silent: ['2001:db8::dead'], resolver, port });
    expect(performance.now() - started).toBeLessThan(500);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(evidence.filter(({ kind }) => kind === 'connect').map(({ what, got }) => [what, got])).toEqual([
      [`127.0.0.1:${port}`, 'connected'],
      [`[2001:db8::dead]:${port}`, 'cancelled'],
    ]);
  });

  it('waits 50 ms and no longer for a AAAA answer that is late', async () => {
    const port = await serve(() => undefined);
    const resolver = tableResolver({ 6: ['::1'], 4: ['127.0.0.1'], lateMs: { 6: 20_000 } });
    const started = performance.now();
    const { socket } = await connectSilent({ silent: [], resolver, port });
    expect(performance.now() - started).toBeLessThan(400);
    expect(socket.remoteAddress).toBe('127.0.0.1');
  });

  it('says that nobody answered when every address is silent', async () => {
    const resolver = tableResolver({ 6: ['2001:db8::dead'], 4: ['192.0.2.66'] });
    const error = await failureOf(
      connectSilent({ silent: ['2001:db8::dead', '192.0.2.66'], resolver, port: 9989, limitMs: 400 }),
    );
    expect(error).toMatchObject({ code: 'BBX-NET-SILENT', exit: 3, retryable: true });
    expect(error.message).toContain('[2001:db8::dead]:9989 no answer');
    expect(error.message).toContain('192.0.2.66:9989 no answer');
  });

  it('names every address that refused', async () => {
    const resolver = tableResolver({ 6: ['::1'], 4: ['127.0.0.1', '127.0.0.2'] });
    const error = await failureOf(dial({ to: parseAddress('ci.example:1'), via: [] }, { resolver }));
    expect(error.message).toBe(
      'Cannot reach "ci.example:1": 3 addresses refused ([::1]:1 ECONNREFUSED, 127.0.0.1:1 ECONNREFUSED, 127.0.0.2:1 ECONNREFUSED); is it running and listening there?',
    );
    expect(error).toMatchObject({ code: 'BBX-NET-REFUSED', exit: 3 });
  });

  it('tells a refusal by this host itself from one by the other side', async () => {
    // A link-local address without its zone: the kernel cannot send it anywhere.
    const error = await failureOf(dial({ to: parseAddress('[fe80::1]:9989'), via: [] }));
    expect(error.code).toBe('BBX-NET-UNREACHABLE');
    expect(error.message).toContain('EINVAL (refused by this host itself)');
    expect(error.hint).toContain('without its zone');
  });

  it('names both families of a name that has no address', async () => {
    const error = await failureOf(
      dial({ to: parseAddress('gone.example'), via: [] }, { resolver: tableResolver({}) }),
    );
    expect(error).toMatchObject({ code: 'BBX-NET-NAME', exit: 3 });
    expect(error.message).toMatch(/^Cannot find host "gone.example": IPv6: ENOTFOUND.*; IPv4: ENOTFOUND/);
  });

  it('ends within its limit while a lookup hangs', async () => {
    const resolver = tableResolver({ lateMs: { 4: 20_000, 6: 20_000 } });
    const started = performance.now();
    const error = await failureOf(
      dial({ to: parseAddress('slow.example'), via: [] }, { resolver, timeoutMs: 200 }),
    );
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(error).toMatchObject({ code: 'BBX-NET-TIME', exit: 3 });
    expect(error.message).toContain('the lookup of slow.example');
  });

  it('refuses the hop relay://, which this version does not have', async () => {
    const via = [parseHop('relay://relay.example')];
    const error = await failureOf(dial({ to: parseAddress('host'), via }));
    expect(error).toMatchObject({ code: 'BBX-NET-HOP-KIND', exit: 2 });
  });

  it('has told its observations before it fails', async () => {
    const seen: Evidence[] = [];
    const resolver = tableResolver({ 4: ['127.0.0.1'] });
    await failureOf(
      dial({ to: parseAddress('ci.example:1'), via: [] }, { resolver, onEvidence: (one) => seen.push(one) }),
    );
    expect(seen.map(({ kind, what, got }) => [kind, what, got])).toEqual([
      ['dns', 'ci.example AAAA (table)', 'ENOTFOUND'],
      ['dns', 'ci.example A (table)', '127.0.0.1'],
      ['connect', '127.0.0.1:1', 'ECONNREFUSED'],
    ]);
  });
});

describe('the TLS of a dial', () => {
  const identity = makeIdentity(['other.example']);
  const toPort = (port: number) => parseAddress(`127.0.0.1:${port}`);

  async function tlsPort(): Promise<number> {
    const listener = await listen({
      addresses: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
      tls: identity,
      onConnection: ({ stream }) => stream.resume(),
    });
    open.push(listener);
    return listener.port ?? 0;
  }

  it('takes any key at first contact and tells which', async () => {
    const connection = await dial({ to: toPort(await tlsPort()), via: [], tls: { firstContact: true } });
    expect(connection.secured).toMatchObject({ peerPin: identity.pin, version: 'TLSv1.3' });
    connection.stream.destroy();
  });

  it('takes any of several pins', async () => {
    const pins = [makeIdentity().pin, identity.pin];
    const connection = await dial({ to: toPort(await tlsPort()), via: [], tls: { pins } });
    connection.stream.destroy();
  });

  it.each([
    ['without a pin, a self-signed certificate', {}, /self-signed/],
    [
      'from a trusted authority, a certificate for another name',
      { ca: identity.cert },
      /not for 127.0.0.1 .*other.example/,
    ],
  ])('refuses, %s', async (_title, tls, problem) => {
    const error = await failureOf(dial({ to: toPort(await tlsPort()), via: [], tls }));
    expect(error).toMatchObject({ code: 'BBX-NET-CERTIFICATE', exit: 4 });
    expect(error.message).toMatch(problem);
  });

  it('refuses a pinned peer that has no TLS 1.3', async () => {
    const server = createTlsServer({ ...identity, maxVersion: 'TLSv1.2' });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ [Symbol.asyncDispose]: async () => void server.close() });
    const { port } = server.address() as AddressInfo;
    const error = await failureOf(dial({ to: toPort(port), via: [], tls: { pins: [identity.pin] } }));
    expect(error.message).toContain('no TLS version in common');
  });

  it('says that a peer which speaks first in another tongue speaks no TLS', async () => {
    const port = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const error = await failureOf(dial({ to: toPort(port), via: [], tls: { firstContact: true } }));
    expect(error).toMatchObject({ code: 'BBX-NET-TLS', exit: 3 });
    expect(error.message).toContain('does not speak TLS');
  });

  it('says that a peer closed in the handshake', async () => {
    const port = await serve((socket) => socket.once('data', () => socket.destroy()));
    const error = await failureOf(dial({ to: toPort(port), via: [], tls: { firstContact: true } }));
    expect(error.message).toContain('closed the connection in the handshake');
  });

  it('has a limit for a peer that accepts and is silent', { retry: 3 }, async () => {
    const port = await serve((socket) => socket.resume());
    const error = await failureOf(
      dial({ to: toPort(port), via: [], tls: { firstContact: true } }, { timeoutMs: 300 }),
    );
    expect(error).toMatchObject({ code: 'BBX-NET-TIME' });
    expect(error.message).toContain('the TLS handshake was not done');
  });

  it.each([
    ['HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'it answered 404 Not Found'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'Parse Error'],
  ])('says what a web port answered instead of a WebSocket: %j', async (text, problem) => {
    const port = await serve((socket) => socket.once('data', () => socket.end(text)));
    const error = await failureOf(dial({ to: parseAddress(`ws://127.0.0.1:${port}/worker`), via: [] }));
    expect(error).toMatchObject({ code: 'BBX-NET-UPGRADE', exit: 3 });
    expect(error.message).toContain(problem);
  });
});

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../../../src/net/dial.ts';
import { printAddress } from '../../../src/net/endpoint/address.ts';
import { listen } from '../../../src/net/listen.ts';
import type { ProxyGrant } from '../../../src/net/local-proxy.ts';
import { startLocalProxy } from '../../../src/net/local-proxy.ts';
import { readBytes } from './rig.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function start(options: Partial<Parameters<typeof startLocalProxy>[0]> = {}) {
  const proxy = await startLocalProxy({ via: [], ...options });
  open.push(proxy);
  const echo = await listen({
    addresses: [{ kind: 'tcp', host: 'localhost', port: 0 }],
    onConnection: ({ stream }) => void stream.pipe(stream),
  });
  open.push(echo);
  return { proxy, echoPort: echo.port ?? 0 };
}

/** What git does: CONNECT with the credentials of the URL. Gives the status line and the socket behind it. */
async function connectVia(grant: ProxyGrant, target: string, credentials?: string) {
  const url = new URL(grant.url.reveal());
  const socket: Socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => undefined);
  open.push({ [Symbol.asyncDispose]: async () => void socket.destroy() });
  const basic = Buffer.from(credentials ?? `${url.username}:${url.password}`).toString('base64');
  socket.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
  );
  let head = '';
  while (!head.includes('\r\n\r\n')) head += (await readBytes(socket, 1)).toString('latin1');
  return { status: Number(head.split(' ')[1]), socket };
}

describe('the local proxy', () => {
  it('connects a holder of a token to a name, a literal of either family, and carries bytes', async () => {
    const { proxy, echoPort } = await start();
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const { status, socket } = await connectVia(proxy.grant(), `${host}:${echoPort}`);
      expect(status).toBe(200);
      socket.write('hello');
      expect((await readBytes(socket, 5)).toString()).toBe('hello');
    }
  });

  it('asks the address that answered first next time, and all of them again when it answers no more', async () => {
    const asked: string[] = [];
    const gone = new Set<string>();
    const { proxy, echoPort } = await start({
      dial: (route, options) => {
        const target = printAddress(route.to);
        asked.push(target);
        return gone.has(target) ? Promise.reject(new Error('gone')) : dial(route, options);
      },
    });
    const name = `localhost:${echoPort}`;
    const literal = `[::1]:${echoPort}`;
    const grant = proxy.grant();
    for (let n = 0; n < 2; n += 1) expect((await connectVia(grant, name)).status).toBe(200);
    expect(asked.splice(0)).toEqual([name, literal]);
    gone.add(literal);
    expect((await connectVia(grant, name)).status).toBe(200);
    expect(asked.splice(0)).toEqual([literal, name]);
    expect((await connectVia(proxy.grant(), name)).status).toBe(200);
    expect(asked).toEqual([name]);
  });

  it.each(['bbx:wrong', 'other:wrong', ''])('wants the token, not %j', async (credentials) => {
    const { proxy, echoPort } = await start();
    expect((await connectVia(proxy.grant(), `127.0.0.1:${echoPort}`, credentials)).status).toBe(407);
  });

  it('shows no token where it is printed', async () => {
    const { proxy } = await start();
    expect(JSON.stringify(proxy.grant())).not.toMatch(/bbx:[\w-]{10}/);
  });

  it('takes a token no more after it was revoked, and ends its connections', async () => {
    const { proxy, echoPort } = await start();
    const grant = proxy.grant();
    const other = await connectVia(proxy.grant(), `127.0.0.1:${echoPort}`);
    const { socket } = await connectVia(grant, `127.0.0.1:${echoPort}`);
    const closed = once(socket.resume(), 'close');
    grant.revoke();
    await closed;
    expect((await connectVia(grant, `127.0.0.1:${echoPort}`)).status).toBe(407);
    other.socket.write('x');
    expect((await readBytes(other.socket, 1)).toString()).toBe('x');
  });

  it('keeps why a connection failed', async () => {
    const { proxy } = await start();
    const grant = proxy.grant();
    expect((await connectVia(grant, '127.0.0.1:1')).status).toBe(502);
    expect(grant.failures.map(({ code }) => code)).toEqual(['BBX-NET-REFUSED']);
  });

  it.each(['ci.example', '::1:99', 'host:0', 'unix:/run/x:1', '[fe80::1%25x]:1'])(
    'refuses the target %s',
    async (target) => {
      const { proxy } = await start();
      expect((await connectVia(proxy.grant(), target)).status).toBe(400);
    },
  );

  it('makes no more connections for one build than its limit', async () => {
    const { proxy, echoPort } = await start({ connections: 1 });
    const grant = proxy.grant();
    const first = await connectVia(grant, `127.0.0.1:${echoPort}`);
    expect((await connectVia(grant, `127.0.0.1:${echoPort}`)).status).toBe(503);
    const gone = once(first.socket, 'close');
    first.socket.destroy();
    await gone;
  });

  it('ends a connection on which nothing moves', async () => {
    const { proxy, echoPort } = await start({ idleMs: 100 });
    const { socket } = await connectVia(proxy.grant(), `127.0.0.1:${echoPort}`);
    await once(socket.resume(), 'close');
  });

  it('serves http:// URLs, without telling the server the token', async () => {
    const seen = Promise.withResolvers<IncomingMessage>();
    const server = createServer((incoming, response) => {
      seen.resolve(incoming);
      incoming.pipe(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ [Symbol.asyncDispose]: async () => void server.close() });
    const { proxy } = await start();
    const url = new URL(proxy.grant().url.reveal());
    const { port } = server.address() as AddressInfo;
    const outgoing = request({
      host: url.hostname,
      port: url.port,
      method: 'POST',
      path: `http://127.0.0.1:${port}/repo.git/x?service=y`,
      headers: {
        host: `127.0.0.1:${port}`,
        'proxy-authorization': `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`,
      },
    });
    outgoing.end('pack');
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect(body).toBe('pack');
    const incoming = await seen.promise;
    expect(incoming.url).toBe('/repo.git/x?service=y');
    expect(incoming.headers['proxy-authorization']).toBeUndefined();
  });
});

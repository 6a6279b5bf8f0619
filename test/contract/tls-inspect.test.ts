import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { inspectTls } from '../../src/net/tls/inspect.ts';
import { issue } from '../rigs/certificates.ts';

const ca = issue({ subject: 'test CA', authority: true });
const leaf = issue({ subject: 'leaf', issuer: ca, names: ['localhost', '127.0.0.1'] });
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function bound(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  return (server.address() as AddressInfo).port;
}

const secure = (options: TlsOptions = {}, onSocket: (socket: Socket) => void = () => undefined) =>
  bound(createTlsServer({ cert: leaf.cert, key: leaf.key, ...options }, onSocket));

const look = (port: number, more: Partial<Parameters<typeof inspectTls>[2]> = {}) =>
  inspectTls('127.0.0.1', port, {
    servername: 'localhost',
    ca: ca.cert,
    limitMs: 2_000,
    signal: new AbortController().signal,
    ...more,
  });

describe('inspectTls', () => {
  it('tells version, cipher, chain and the first word', async () => {
    const port = await secure({ cert: leaf.cert + ca.cert }, (socket) => socket.write('220 hello\r\n'));
    const seen = await look(port);
    expect(seen).toMatchObject({ outcome: 'secured', version: 'TLSv1.3', distrust: null, alpn: null });
    expect(seen.chain.map(({ subject }) => subject)).toEqual(['CN=leaf', 'CN=test CA']);
    expect(seen.first).toMatchObject({ kind: 'data' });
    expect(seen.first?.bytes.toString()).toBe('220 hello\r\n');
  });

  it('asks who does not speak first', async () => {
    const port = await secure({}, (socket) =>
      socket.once('data', (data) => socket.write(`you said ${data}`)),
    );
    expect((await look(port, { speak: 'word' })).first?.bytes.toString()).toBe('you said word');
  });

  it('judges nothing, and tells what OpenSSL says of the chain', async () => {
    expect(await look(await secure(), { ca: leaf.cert })).toMatchObject({
      outcome: 'secured',
      distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });

  it('sees that a client certificate was wanted, which TLS 1.3 tells after the handshake', async () => {
    const port = await secure({ requestCert: true, rejectUnauthorized: true, ca: ca.cert });
    const seen = await look(port, { speak: 'GET / HTTP/1.0\r\n\r\n' });
    expect(seen.outcome).toBe('secured');
    expect(seen.first).toMatchObject({
      kind: 'alert',
      code: expect.stringContaining('CERTIFICATE_REQUIRED') as string,
    });
  });

  it('names what a server refuses: versions, application protocols', async () => {
    const old = await secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' });
    expect(await look(old)).toMatchObject({
      outcome: 'refused',
      code: expect.stringContaining('PROTOCOL') as string,
    });
    expect(await look(old, { lenient: true })).toMatchObject({ outcome: 'secured', version: 'TLSv1.1' });
    const other = await secure({ ALPNProtocols: ['imap'] });
    expect(await look(other, { alpn: ['http/1.1'] })).toMatchObject({
      outcome: 'refused',
      code: expect.stringContaining('NO_APPLICATION_PROTOCOL') as string,
    });
    expect(await look(other)).toMatchObject({ outcome: 'secured' });
  });

  const PEERS: [outcome: string, onSocket: (socket: Socket) => void][] = [
    ['plain', (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
    ['plain', (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['closed', (socket) => void socket.end()],
    ['silent', () => undefined],
    ['refused', (socket) => void socket.once('data', () => socket.end(Buffer.from('15030300020228', 'hex')))],
  ];

  it.each(PEERS)('tells %s from TLS', async (outcome, onSocket) => {
    const port = await bound(createServer(onSocket));
    expect(await look(port, { limitMs: 600 })).toMatchObject({ outcome });
  });

  it('is not held by a peer that sends for ever', async () => {
    const port = await bound(
      createServer((socket: Socket): void => {
        const more = (): void => {
          while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 0x16)));
        };
        socket.on('drain', more);
        more();
      }),
    );
    const seen = await look(port, { limitMs: 1_500 });
    expect(['refused', 'plain', 'silent']).toContain(seen.outcome);
    expect(seen.firstBytes.length).toBeLessThanOrEqual(32);
  });
});

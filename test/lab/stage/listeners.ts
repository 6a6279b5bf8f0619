import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { CertificateMaker } from './certificates.ts';
import { serveMaster } from './master.ts';
import type { Listener, MailManner, Manner, TlsManner } from './recipe.ts';

const GREETINGS = {
  ssh: Buffer.from('SSH-2.0-lab\r\n'),
  smtp: Buffer.from('220 mail.test ESMTP lab\r\n'),
  // Twisted's banana, with its two dialects.
  pb: Buffer.from('0280028270620482' + '6e6f6e65', 'hex'),
  garbage: Buffer.from('00ff00ff00ff00ff', 'hex'),
};
const FLOOD = Buffer.alloc(64 * 1024, 'x');
/** Enough to fill a queue that was asked to hold one. */
const FILLERS = 8;

export async function serve(listener: Listener, certificates: CertificateMaker): Promise<void> {
  const { host, port, ipv6Only = false, does = { says: 'ssh' } } = listener;
  if ('masterOfVersion' in does) return serveMaster(listener, does.masterOfVersion);
  const server =
    'tls' in does ? tlsServer(does.tls, certificates) : createServer(mannersOf(does, certificates));
  // A peer that is gone is no news here.
  server.on('tlsClientError', () => undefined);
  server.listen({ host, port, ipv6Only, ...('full' in does ? { backlog: 1 } : {}) });
  await once(server, 'listening');
}

/** Fills the queue of a listener and never takes from it again: this program does nothing else. */
export function fillForEver(host: string, port: number): never {
  for (let n = 0; n < FILLERS; n += 1) connect({ host: host === '::' ? '::1' : host, port });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error('nobody wakes this');
}

function mannersOf(
  manner: Exclude<Manner, { tls: unknown } | { masterOfVersion: number }>,
  certificates: CertificateMaker,
): (socket: Socket) => void {
  return (socket) => {
    socket.on('error', () => undefined);
    if ('forwards' in manner) return forward(socket, manner.forwards);
    if ('full' in manner) return;
    if ('alert' in manner) return void socket.once('data', () => socket.end(fatal(manner.alert)));
    if ('smtp' in manner) return mail(socket, manner.smtp, certificates);
    switch (manner.says) {
      case 'nothing':
        return;
      case 'goodbye':
        socket.end();
        return;
      case 'flood':
        return flood(socket);
      case 'http':
        return http(socket, manner.clockOff ?? 0);
      case 'smtp':
        return mail(socket, {});
      default:
        socket.write(GREETINGS[manner.says]);
    }
  };
}

/** A record of one fatal alert (RFC 8446 sections 5.1 and 6). */
function fatal(alert: number): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, 2, alert]);
}

function http(socket: Socket, clockOff: number): void {
  socket.once('data', () => {
    const date = new Date(Date.now() + clockOff * 1000).toUTCString();
    const body = 'hello\n';
    socket.end(
      `HTTP/1.1 200 OK\r\nServer: lab\r\nDate: ${date}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}

function mail(socket: Socket, given: MailManner, certificates?: CertificateMaker): void {
  socket.write(given.greeting ?? GREETINGS.smtp);
  converse(socket, given, certificates);
}

function converse(socket: Socket, given: MailManner, certificates?: CertificateMaker): void {
  const { startTls } = given;
  const onData = (bytes: Buffer) => {
    const [word = ''] = bytes.toString('latin1').split(/\s/);
    if (/^QUIT$/i.test(word)) return socket.end('221 bye\r\n');
    if (/^STARTTLS$/i.test(word) && startTls !== undefined && certificates !== undefined) {
      socket.off('data', onData);
      socket.write('220 go on\r\n');
      const secureContext = createSecureContext(certificates.make(startTls));
      const secured = new TLSSocket(socket, { isServer: true, secureContext });
      secured.on('error', () => socket.destroy());
      return converse(secured, { extensions: given.extensions ?? [] });
    }
    if (!/^(EHLO|HELO)$/i.test(word)) return socket.write('502 not here\r\n');
    const offered = startTls === undefined ? [] : ['STARTTLS'];
    const lines = ['mail.test', ...offered, ...(given.extensions ?? ['8BITMIME'])];
    const reply = lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}\r\n`);
    return socket.write(reply.join(''));
  };
  socket.on('data', onData);
}

function flood(socket: Socket): void {
  const pour = () => {
    while (!socket.destroyed && socket.write(FLOOD));
  };
  socket.on('drain', pour);
  pour();
}

/** As `ssh -L`: it accepts, and only then tries the far end. */
function forward(socket: Socket, to: string): void {
  const at = to.lastIndexOf(':');
  const far = connect({ host: to.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(to.slice(at + 1)) });
  far.on('error', () => socket.destroy());
  socket.on('error', () => far.destroy());
  socket.pipe(far).pipe(socket);
}

function tlsServer(tls: TlsManner, certificates: CertificateMaker): Server {
  const { afterMs } = tls;
  const server = promptTlsServer(tls, certificates);
  if (afterMs === undefined) return server;
  return createServer((socket) => {
    socket.on('error', () => undefined);
    setTimeout(() => server.emit('connection', socket), afterMs);
  });
}

function promptTlsServer(tls: TlsManner, certificates: CertificateMaker): Server {
  return createTlsServer(
    {
      ...certificates.make(tls.certificate),
      ...(tls.maxVersion === undefined
        ? {}
        : { maxVersion: tls.maxVersion, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' }),
      ...(tls.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] }),
      ...(tls.clientCertificate === true
        ? { requestCert: true, rejectUnauthorized: true, ca: certificates.caPem }
        : {}),
    },
    (socket) => {
      socket.on('error', () => undefined);
      if (tls.says === 'smtp') return mail(socket, {});
      http(socket, 0);
    },
  );
}

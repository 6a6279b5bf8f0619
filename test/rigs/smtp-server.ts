import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** How a mail server behaves; what is left out is as it should be. */
export interface SmtpBehaviour {
  /** Lines of the greeting; default: 220. */
  banner?: string;
  /** Keywords behind EHLO. */
  extensions?: string[];
  /** Only inside TLS. */
  securedExtensions?: string[];
  /** PEM; without it there is no STARTTLS. */
  tls?: { key: string; cert: string };
  /** TLS from the first byte. */
  secureFromStart?: boolean;
  /** Takes the connection over instead of talking. */
  instead?: (socket: Socket) => void;
}

/** A small real mail server: it greets, knows EHLO, STARTTLS and QUIT, and takes no mail. `said`: lines of its clients. */
export async function smtpServer(behaviour: SmtpBehaviour = {}, host = '127.0.0.1') {
  const said: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (behaviour.instead !== undefined) return behaviour.instead(socket);
    if (behaviour.secureFromStart === true) return talk(secured(socket), true);
    talk(socket, false);
  });

  function secured(socket: Socket): TLSSocket {
    return new TLSSocket(socket, { isServer: true, ...behaviour.tls }).on('error', () => undefined);
  }

  function talk(stream: Socket, inside: boolean, greets = true): void {
    let text = '';
    const say = (line: string) => void stream.write(`${line}\r\n`);
    if (greets) say(behaviour.banner ?? '220 mail.test ESMTP ready');
    const onData = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end).trim();
        text = text.slice(end + 1);
        said.push(line);
        const [verb = ''] = line.toUpperCase().split(' ');
        if (verb === 'EHLO') {
          const offered = inside
            ? (behaviour.securedExtensions ?? ['SIZE 10240000'])
            : [
                ...(behaviour.extensions ?? ['SIZE 10240000']),
                ...(behaviour.tls === undefined ? [] : ['STARTTLS']),
              ];
          const lines = ['mail.test', ...offered];
          lines.forEach((one, at) => say(`250${at === lines.length - 1 ? ' ' : '-'}${one}`));
        } else if (verb === 'STARTTLS' && behaviour.tls !== undefined && !inside) {
          stream.off('data', onData);
          stream.write('220 go ahead\r\n', () => talk(secured(stream), true, false));
          return;
        } else if (verb === 'QUIT') {
          stream.end('221 bye\r\n');
        } else {
          say('502 not here');
        }
      }
    };
    stream.on('data', onData);
  }

  server.listen({ host, port: 0 });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    said,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';

/** Two streams as one pipe: the end and the fault of either reach the other, and silence in both ends both. */
export function join(client: Duplex, server: Duplex, idleMs: number): void {
  const end = () => {
    client.destroy();
    server.destroy();
  };
  const timer = setTimeout(end, idleMs);
  const alive = () => timer.refresh();
  client.on('data', alive);
  server.on('data', alive);
  let open = 2;
  const follow = (one: Duplex, other: Duplex) => {
    one.pipe(other);
    one.once('close', () => {
      open -= 1;
      if (open === 0) clearTimeout(timer);
      // After a proper end the other side still has bytes to send, and `pipe` has told it to end when they are gone.
      if (!one.readableEnded) other.destroy();
    });
  };
  follow(client, server);
  follow(server, client);
}

/** Of the answer of a server. */
const HEADER_BYTES = 16 * 1024;
/** RFC 9110 section 7.6.1: meant for us, not for the server. */
const HOP_BY_HOP = ['connection', 'proxy-connection', 'proxy-authorization', 'keep-alive', 'te', 'upgrade'];

/** One request of an `http://` URL, sent on over a stream of its own; the answer goes back as it comes. */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  stream: Duplex,
  path: string,
  idleMs: number,
): void {
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.includes(name)),
  );
  const outgoing = httpRequest({
    createConnection: () => stream,
    method: request.method,
    path,
    headers: { ...headers, connection: 'close' },
    maxHeaderSize: HEADER_BYTES,
  });
  const timer = setTimeout(() => stream.destroy(), idleMs);
  stream.on('data', () => timer.refresh());
  request.on('data', () => timer.refresh());
  stream.once('close', () => clearTimeout(timer));
  response.once('close', () => stream.destroy());
  outgoing.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { Connection: 'close' }).end('the server ended the connection\n');
  });
  outgoing.on('response', (incoming) => {
    const passed = Object.entries(incoming.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
    response.writeHead(incoming.statusCode ?? 502, Object.fromEntries(passed));
    pipeline(incoming, response, () => undefined);
  });
  pipeline(request, outgoing, () => undefined);
}

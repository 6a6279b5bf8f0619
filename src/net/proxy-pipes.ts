import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';

/** Two streams as one pipe: the end and the fault of either reach the other, and silence in both ends both. */
export function join(client: Duplex, server: Duplex, idleMs: number): void {
  const timer = setTimeout(() => {
    client.destroy();
    server.destroy();
  }, idleMs);
  const alive = () => timer.refresh();
  client.on('data', alive);
  server.on('data', alive);
  client.once('close', () => {
    clearTimeout(timer);
    server.destroy();
  });
  server.once('close', () => client.destroy());
  pipeline(client, server, () => undefined);
  pipeline(server, client, () => undefined);
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

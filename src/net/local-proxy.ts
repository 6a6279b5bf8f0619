import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { BbxError, sentences } from '../base/error.ts';
import { Secret } from '../base/secret.ts';
import { dial } from './dial.ts';
import type { TcpAddress } from './endpoint/address.ts';
import { parseAddress, printAddress } from './endpoint/address.ts';
import type { Hop } from './endpoint/hop.ts';
import { guard } from './peer.ts';
import type { Connection } from './hops/connection.ts';
import type { Listener } from './listen.ts';
import { listen } from './listen.ts';
import { forward, join } from './proxy-pipes.ts';

/** A CONNECT line, a token, and a few headers of git. */
const HEADER_BYTES = 16 * 1024;
/** The client is on this host, and writes its header in one piece. */
const HEADER_LIMIT_MS = 10_000;
/** Connections of one build at one time; git fetches submodules over a handful. */
const CONNECTIONS = 32;
/** No byte in either direction: longer than any server takes to pack a large repository in silence. */
const IDLE_LIMIT_MS = 10 * 60_000;
/** An address that answered a moment ago and is silent for so long is no longer the best one: all are tried again. */
const ANSWERED_LIMIT_MS = 1_000;
/** Failures that are kept for the log of the step. */
const FAILURES = 20;
/** Basic authentication wants a name beside the token. */
const USER = 'bbx';

export interface LocalProxyOptions {
  /** The hops of every connection. */
  via: readonly Hop[];
  /** Default: the real one. */
  dial?: typeof dial;
  idleMs?: number;
  connections?: number;
}

/** The use of the proxy for one build. */
export interface ProxyGrant {
  /** `http://bbx:TOKEN@127.0.0.1:PORT`, for `http_proxy` and `https_proxy` of one program. Good until `revoke`. */
  readonly url: Secret;
  /** Why connections failed, oldest first: a program that uses a proxy only learns that the proxy said 502. */
  readonly failures: readonly BbxError[];
  /** Ends every connection that was made with it. */
  revoke(): void;
}

export interface LocalProxy {
  /** Every grant has a token of its own. */
  grant(): ProxyGrant;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Grant {
  digest: Buffer;
  failures: BbxError[];
  /** Which address of a target answered last: git makes a connection for each of its requests, and none should wait for a dead address again. */
  answered: Map<string, TcpAddress>;
  open: Set<Duplex>;
  /** Connections, those included that are being made. */
  count: number;
  abort: AbortController;
}

/**
 * A proxy on a loopback port for programs that open their own connections, such as git: they get the routes, both address families and
 * the failures of `dial`. Serves CONNECT, and requests for `http://` URLs, to holders of a token only.
 * @throws BbxError as `listen` does
 */
export async function startLocalProxy(options: LocalProxyOptions): Promise<LocalProxy> {
  const { via, idleMs = IDLE_LIMIT_MS, connections = CONNECTIONS } = options;
  const connectTo = options.dial ?? dial;
  const grants = new Set<Grant>();

  const server = createServer({
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: HEADER_LIMIT_MS,
    // A push of a large repository is one long request.
    requestTimeout: 0,
    keepAliveTimeout: 5_000,
  });
  server.on('clientError', (_error, stream) => stream.destroy());

  function grantOf(request: IncomingMessage): Grant | undefined {
    const [scheme = '', encoded = ''] = (request.headers['proxy-authorization'] ?? '').split(' ');
    if (scheme.toLowerCase() !== 'basic') return undefined;
    const digest = digestOf(Buffer.from(encoded, 'base64').toString('latin1'));
    return [...grants].find((grant) => timingSafeEqual(grant.digest, digest));
  }

  async function connectAgain(grant: Grant, to: TcpAddress, signal: AbortSignal): Promise<Connection> {
    const key = printAddress(to);
    const before = grant.answered.get(key);
    if (before !== undefined) {
      const timeoutMs = ANSWERED_LIMIT_MS;
      const again = await connectTo({ to: before, via }, { signal, timeoutMs }).catch(() => undefined);
      if (again !== undefined) return again;
      signal.throwIfAborted();
      grant.answered.delete(key);
    }
    const connection = await connectTo({ to, via }, { signal });
    // Behind a hop the peer is the hop's.
    if (via.length === 0) {
      const peer = parseAddress(connection.peer);
      if (peer.kind === 'tcp') grant.answered.set(key, peer);
    }
    return connection;
  }

  async function open(grant: Grant, to: TcpAddress, signal: AbortSignal): Promise<Duplex> {
    grant.count += 1;
    try {
      const stop = AbortSignal.any([signal, grant.abort.signal]);
      const { stream } = await connectAgain(grant, to, stop);
      grant.open.add(stream);
      stream.once('close', () => {
        grant.open.delete(stream);
        grant.count -= 1;
      });
      return stream;
    } catch (error) {
      grant.count -= 1;
      if (error instanceof BbxError && grant.failures.length < FAILURES) grant.failures.push(error);
      throw error;
    }
  }

  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    guard(client);
    const answer = (status: string, text = '') =>
      client.end(
        `HTTP/1.1 ${status}\r\n${status.startsWith('407') ? 'Proxy-Authenticate: Basic realm="bbx"\r\n' : ''}` +
          `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      );
    const grant = grantOf(request);
    if (grant === undefined) return void answer('407 Proxy Authentication Required');
    if (grant.count >= connections) return void answer('503 Service Unavailable', 'too many connections\n');
    const to = readTarget(request.url ?? '');
    if (to === undefined) return void answer('400 Bad Request', 'not a host and port\n');
    const left = new AbortController();
    client.once('close', () => left.abort(new Error('the client left')));
    open(grant, to, left.signal).then(
      (stream) => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        stream.write(head);
        join(client, stream, idleMs);
      },
      (error: unknown) => answer('502 Bad Gateway', `${sentences(error)[0]}\n`),
    );
  });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const answer = (status: number, text: string, headers: Record<string, string> = {}) => {
      request.resume();
      response.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close', ...headers }).end(text);
    };
    const grant = grantOf(request);
    if (grant === undefined) return answer(407, 'no token\n', { 'Proxy-Authenticate': 'Basic realm="bbx"' });
    if (grant.count >= connections) return answer(503, 'too many connections\n');
    const match = /^http:\/\/([^/?#]+)([/?].*)?$/i.exec(request.url ?? '');
    const to = match?.[1] === undefined ? undefined : readTarget(match[1], 80);
    if (match === null || to === undefined)
      return answer(400, 'this proxy serves http:// URLs and CONNECT\n');
    const left = new AbortController();
    response.once('close', () => left.abort(new Error('the client left')));
    open(grant, to, left.signal).then(
      (stream) => forward(request, response, stream, match[2] ?? '/', idleMs),
      (error: unknown) => answer(502, `${sentences(error)[0]}\n`),
    );
  });

  const listener: Listener = await listen({
    addresses: [{ kind: 'tcp', host: 'localhost', port: 0 }],
    onConnection: ({ stream }) => server.emit('connection', stream),
  });
  // Where both loopback addresses are bound, the last is 127.0.0.1, which every old program can read.
  const where = listener.bound.at(-1) ?? '';

  const close = async () => {
    for (const grant of grants) {
      grant.abort.abort(new Error('the proxy is closed'));
      for (const stream of grant.open) stream.destroy();
    }
    grants.clear();
    server.closeAllConnections();
    await listener.close(0);
  };

  return {
    grant() {
      const token = randomBytes(24).toString('base64url');
      const grant: Grant = {
        digest: digestOf(`${USER}:${token}`),
        failures: [],
        answered: new Map(),
        open: new Set(),
        count: 0,
        abort: new AbortController(),
      };
      grants.add(grant);
      return {
        url: new Secret(`http://${USER}:${token}@${where}`),
        failures: grant.failures,
        revoke: () => {
          grants.delete(grant);
          grant.abort.abort(new Error('the build is over'));
          for (const stream of grant.open) stream.destroy();
        },
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function readTarget(text: string, defaultPort?: number): TcpAddress | undefined {
  if (defaultPort === undefined && !/^(\[[^\]]+\]|[^:]+):\d+$/.test(text)) return undefined;
  try {
    const address = parseAddress(text, { defaultPort: defaultPort ?? 443 });
    return address.kind === 'tcp' ? address : undefined;
  } catch {
    return undefined;
  }
}

import type { IncomingMessage } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import WebSocket, { WebSocketServer } from 'ws';
import { sentences } from '../base/error.ts';
import { codes } from './codes.ts';
import type { MessageSocket } from './message-socket.ts';
import { CLOSE_LIMIT_MS, FIRST_MESSAGE_BYTES, toMessageSocket } from './message-socket.ts';

/** The HTTP request and its answer. */
const UPGRADE_LIMIT_MS = 10_000;
/** A handshake has a dozen short header lines. */
const HEADER_BYTES = 16 * 1024;

const COMMON = {
  // Logs are compressed where they are stored; compression on the wire costs memory for each peer and invites bombs.
  perMessageDeflate: false,
  maxPayload: FIRST_MESSAGE_BYTES,
  // A peer that answers no closing frame, perhaps because it does not read at all.
  closeTimeout: CLOSE_LIMIT_MS,
} as const;

export interface UpgradeOptions {
  /** What errors name, and the Host header. */
  target: string;
  /** Starts with `/`. Default `/`. */
  path?: string;
  /** Subprotocol that the server must choose. */
  protocol?: string;
  headers?: Readonly<Record<string, string>>;
  /**
   * The stream is TLS to the very peer, so nobody on the way sees the frames. Their masks, which keep proxies from being fooled by chosen bytes
   * (RFC 6455 section 10.3), are zero then: masking 80 MB of a log takes 0.1 s of processor time at either end.
   */
  unseen?: boolean;
  signal?: AbortSignal | undefined;
  limitMs?: number;
}

/**
 * Makes a client's WebSocket of a stream (RFC 6455). On failure the stream is destroyed.
 * @throws BbxError BBX-NET-UPGRADE or BBX-NET-TIME; the signal's reason
 */
export function openWebSocket(stream: Duplex, options: UpgradeOptions): Promise<MessageSocket> {
  const { target, path = '/', protocol, headers = {}, unseen = false, signal } = options;
  const { limitMs = UPGRADE_LIMIT_MS } = options;
  return new Promise((resolve, reject) => {
    // The address in this URL is never used: the stream is there already. Host is what the other side sees.
    const socket = new WebSocket(`ws://localhost${path}`, protocol === undefined ? [] : [protocol], {
      ...COMMON,
      headers: { ...headers, Host: target },
      createConnection: () => stream,
      ...(unseen ? { generateMask: (mask: Buffer) => void mask.fill(0) } : {}),
    });
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error) => {
      end();
      reject(error);
      socket.on('error', () => undefined);
      socket.terminate();
      stream.destroy();
    };
    const refuse = (problem: string, cause?: unknown) =>
      fail(codes['BBX-NET-UPGRADE']({ target, problem }, { cause }));
    const onAbort = () => fail(signal?.reason as Error);
    const timer = setTimeout(
      () => fail(codes['BBX-NET-TIME']({ target, phase: 'the WebSocket handshake', ms: limitMs })),
      limitMs,
    );
    socket.once('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0;
      refuse(`it answered ${status} ${STATUS_CODES[status] ?? ''}`.trim());
    });
    socket.once('error', (error) => refuse(sentences(error).join(': '), error));
    socket.once('open', () => {
      end();
      socket.removeAllListeners('error');
      resolve(toMessageSocket(socket, stream));
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export interface AcceptorOptions {
  /** The only path that is served; undefined: every path. */
  path?: string;
  /** The subprotocol that a client must offer. */
  protocol?: string;
  limitMs?: number;
}

export interface WebSocketAcceptor {
  /**
   * Serves one handshake on a fresh stream. Anything but the right handshake gets an HTTP answer and the end of the stream.
   * @throws BbxError BBX-NET-UPGRADE or BBX-NET-TIME; the signal's reason
   */
  accept(stream: Duplex, options: { peer: string; signal?: AbortSignal }): Promise<MessageSocket>;
  /** The same for a request that another HTTP server (the web port) has read already. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): MessageSocket | undefined;
}

/** The server's side of WebSocket handshakes. It holds no socket of its own and needs no closing. */
export function createWebSocketAcceptor(options: AcceptorOptions = {}): WebSocketAcceptor {
  const { path, protocol, limitMs = UPGRADE_LIMIT_MS } = options;
  const webSockets = new WebSocketServer({
    ...COMMON,
    noServer: true,
    clientTracking: false,
    ...(protocol === undefined ? {} : { handleProtocols: () => protocol }),
  });
  const upgraded = new WeakMap<Duplex, (request: IncomingMessage, head: Buffer) => void>();
  const server = createServer({ maxHeaderSize: HEADER_BYTES });
  server.on('request', (request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
    response.end('This port speaks WebSocket to bbx workers.\n');
    request.resume();
  });
  server.on('upgrade', (request, stream, head) => upgraded.get(stream)?.(request, head));
  server.on('clientError', (_error, stream) => stream.destroy());

  function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): MessageSocket | undefined {
    const problem = refusal(request, path, protocol);
    if (problem !== undefined) {
      const text = `HTTP/1.1 ${problem} ${STATUS_CODES[problem]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
      stream.on('error', () => undefined);
      stream.end(text, () => stream.destroy());
      return undefined;
    }
    let accepted: MessageSocket | undefined;
    // ws answers in the same tick, also when it refuses a malformed handshake (and then calls nothing).
    webSockets.handleUpgrade(request, stream, head, (socket) => {
      accepted = toMessageSocket(socket, stream);
    });
    return accepted;
  }

  return {
    upgrade,
    accept(stream, { peer, signal }) {
      return new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          upgraded.delete(stream);
          stream.off('close', onClose);
          signal?.removeEventListener('abort', onAbort);
        };
        const fail = (error: Error) => {
          end();
          reject(error);
        };
        const failNow = (error: Error) => {
          fail(error);
          stream.destroy();
        };
        const onAbort = () => failNow(signal?.reason as Error);
        const onClose = () =>
          fail(codes['BBX-NET-UPGRADE']({ target: peer, problem: 'it left before the handshake was done' }));
        const timer = setTimeout(
          () =>
            failNow(codes['BBX-NET-TIME']({ target: peer, phase: 'the WebSocket handshake', ms: limitMs })),
          limitMs,
        );
        stream.on('close', onClose);
        upgraded.set(stream, (request, head) => {
          const socket = upgrade(request, stream, head);
          if (socket === undefined) {
            fail(codes['BBX-NET-UPGRADE']({ target: peer, problem: 'it asked for something else' }));
            return;
          }
          end();
          resolve(socket);
        });
        if (signal?.aborted === true) {
          onAbort();
          return;
        }
        signal?.addEventListener('abort', onAbort, { once: true });
        server.emit('connection', stream);
      });
    },
  };
}

/** The HTTP status that a request deserves instead of an upgrade. */
function refusal(
  request: IncomingMessage,
  path: string | undefined,
  protocol: string | undefined,
): number | undefined {
  // Only browsers send it, and no page has business with a worker path.
  if (request.headers.origin !== undefined) return 403;
  if (path !== undefined && request.url?.split('?')[0] !== path) return 404;
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (protocol !== undefined && !offered.includes(protocol)) return 400;
  return undefined;
}

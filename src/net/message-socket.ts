import type { Duplex } from 'node:stream';
import type WebSocket from 'ws';

/** How long a peer may take to answer a closing frame. */
export const CLOSE_LIMIT_MS = 2_000;
/** Until its owner says otherwise: any greeting fits, and an unknown peer holds no memory. */
export const FIRST_MESSAGE_BYTES = 128 * 1024;

/** Whole messages over a stream; the contract is `MessageSocket` of `src/protocol/bbx/wire.ts`, which this is the form of. */
export interface MessageSocket {
  sendText(text: string): void;
  sendBinary(bytes: Uint8Array): void;
  ping(): void;
  readonly unsent: number;
  limit(bytes: number): void;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  destroy(): void;
  on(handlers: MessageSocketHandlers): void;
}

export interface MessageSocketHandlers {
  text(text: string): void;
  binary(bytes: Uint8Array): void;
  alive(): void;
  pong?(): void;
  drained(): void;
  closed(code: number, reason: string, error?: Error): void;
}

/** Larger messages are handed to the system as they come: they fill TLS records of their own. */
const GATHERED_BYTES = 16 * 1024;

/** ws fixes the largest message when a socket is made; ours grows once the peer is known. A test holds ws to this field. */
interface Receiver {
  _maxPayload: number;
}

/** An open WebSocket of the ws package and the stream under it, as a `MessageSocket`. It is paused until `on`. */
export function toMessageSocket(socket: WebSocket, stream: Duplex): MessageSocket {
  let handlers: MessageSocketHandlers | undefined;
  let ended: [code: number, reason: string, error?: Error] | undefined;
  let told = false;
  let failure: Error | undefined;
  let pausedByOwner = false;
  let hadUnsent = false;
  let gathering = false;

  socket.pause();

  const tellEnd = () => {
    if (told || ended === undefined || handlers === undefined) return;
    told = true;
    handlers.closed(...ended);
  };
  const afterSend = () => {
    if (!hadUnsent || ended !== undefined) return;
    hadUnsent = socket.bufferedAmount > 0;
    handlers?.drained();
  };
  /**
   * What is sent in one turn of the event loop goes together: a small build's twenty messages come in twos and threes, and each call to the
   * system with a TLS record of its own costs both sides.
   */
  const gather = () => {
    if (gathering) return;
    gathering = true;
    stream.cork();
    setImmediate(() => {
      gathering = false;
      stream.uncork();
    });
  };
  const send = (data: string | Uint8Array) => {
    if (socket.readyState !== socket.OPEN) return;
    if (data.length < GATHERED_BYTES) gather();
    socket.send(data, { binary: typeof data !== 'string' }, afterSend);
    hadUnsent ||= socket.bufferedAmount > 0;
  };

  socket.on('message', (data, isBinary) => {
    if (ended !== undefined) return;
    const bytes = data as Buffer;
    if (isBinary) handlers?.binary(bytes);
    else handlers?.text(bytes.toString('utf8'));
  });
  socket.on('pong', () => {
    if (ended === undefined) handlers?.pong?.();
  });
  socket.on('error', (error) => {
    failure ??= error;
  });
  socket.on('close', (code, reason) => {
    const words = reason.toString('utf8');
    ended = failure === undefined ? [code, words] : [codeOf(failure) ?? code, words, failure];
    tellEnd();
  });
  stream.on('data', () => {
    if (ended === undefined) handlers?.alive();
  });
  // A stream that ends without 'end' (a reset, a broken TLS) is reported by ws as 1006; the cause is worth keeping.
  stream.on('error', (error) => {
    failure ??= error;
  });

  return {
    sendText: send,
    sendBinary: send,
    ping() {
      if (socket.readyState === socket.OPEN) socket.ping();
    },
    get unsent() {
      return socket.readyState === socket.OPEN ? socket.bufferedAmount : 0;
    },
    limit(bytes) {
      const receiver = (socket as unknown as { _receiver: Receiver | null })._receiver;
      if (receiver !== null) receiver._maxPayload = bytes;
    },
    pause() {
      pausedByOwner = true;
      socket.pause();
    },
    resume() {
      pausedByOwner = false;
      if (handlers !== undefined) socket.resume();
    },
    close(code, reason) {
      if (socket.readyState !== socket.OPEN) return;
      // A paused socket would never see the peer's answer.
      if (handlers !== undefined) socket.resume();
      socket.close(code, cutReason(reason));
    },
    destroy() {
      socket.terminate();
    },
    on(given) {
      if (handlers !== undefined) throw new Error('handlers are set once');
      handlers = given;
      if (ended !== undefined) queueMicrotask(tellEnd);
      else if (!pausedByOwner) socket.resume();
    },
  };
}

/** The code that this side has closed with because of what came; ws tells 1006 when the peer does not repeat it. */
function codeOf(failure: Error & { code?: unknown }): number | undefined {
  return failure.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 1009 : undefined;
}

/** A closing frame holds 123 bytes of reason (RFC 6455 section 5.5); a cut never halves a character. */
function cutReason(reason: string): string {
  let cut = reason;
  while (Buffer.byteLength(cut) > 123) cut = [...cut].slice(0, -1).join('');
  return cut;
}

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
  return new Messages(socket, stream);
}

/** A class, since a master holds one for each worker: methods as closures cost each of a thousand more than a kilobyte. */
class Messages implements MessageSocket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  #handlers: MessageSocketHandlers | undefined;
  #ended: [code: number, reason: string, error?: Error] | undefined;
  #failure: Error | undefined;
  #isTold = false;
  #isPaused = false;
  #hadUnsent = false;
  #gathers = false;

  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
    socket.pause();
    socket.on('message', (data, isBinary) => {
      if (this.#ended !== undefined) return;
      const bytes = data as Buffer;
      if (isBinary) this.#handlers?.binary(bytes);
      else this.#handlers?.text(bytes.toString('utf8'));
    });
    socket.on('pong', () => {
      if (this.#ended === undefined) this.#handlers?.pong?.();
    });
    // A stream that ends without 'end' (a reset, a broken TLS) is reported by ws as 1006; the cause is worth keeping.
    const onError = (error: Error) => {
      this.#failure ??= error;
    };
    socket.on('error', onError);
    stream.on('error', onError);
    socket.on('close', (code, reason) => {
      const words = reason.toString('utf8');
      const failure = this.#failure;
      this.#ended = failure === undefined ? [code, words] : [codeOf(failure) ?? code, words, failure];
      this.#tellEnd();
    });
    stream.on('data', () => {
      if (this.#ended === undefined) this.#handlers?.alive();
    });
  }

  get unsent(): number {
    return this.#socket.readyState === this.#socket.OPEN ? this.#socket.bufferedAmount : 0;
  }

  sendText(text: string): void {
    this.#send(text);
  }

  sendBinary(bytes: Uint8Array): void {
    this.#send(bytes);
  }

  ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  limit(bytes: number): void {
    const receiver = (this.#socket as unknown as { _receiver: Receiver | null })._receiver;
    if (receiver !== null) receiver._maxPayload = bytes;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#handlers !== undefined) this.#socket.resume();
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    // A paused socket would never see the peer's answer.
    if (this.#handlers !== undefined) this.#socket.resume();
    this.#socket.close(code, cutReason(reason));
  }

  destroy(): void {
    this.#socket.terminate();
  }

  on(handlers: MessageSocketHandlers): void {
    if (this.#handlers !== undefined) throw new Error('handlers are set once');
    this.#handlers = handlers;
    if (this.#ended !== undefined) queueMicrotask(() => this.#tellEnd());
    else if (!this.#isPaused) this.#socket.resume();
  }

  #tellEnd(): void {
    if (this.#isTold || this.#ended === undefined || this.#handlers === undefined) return;
    this.#isTold = true;
    this.#handlers.closed(...this.#ended);
  }

  #send(data: string | Uint8Array): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    if (data.length < GATHERED_BYTES) this.#gather();
    socket.send(data, { binary: typeof data !== 'string' }, () => this.#afterSend());
    this.#hadUnsent ||= socket.bufferedAmount > 0;
  }

  #afterSend(): void {
    if (!this.#hadUnsent || this.#ended !== undefined) return;
    this.#hadUnsent = this.#socket.bufferedAmount > 0;
    this.#handlers?.drained();
  }

  /**
   * What is sent in one turn of the event loop goes together: a small build's twenty messages come in twos and threes, and each call to the
   * system with a TLS record of its own costs both sides.
   */
  #gather(): void {
    if (this.#gathers) return;
    this.#gathers = true;
    this.#stream.cork();
    setImmediate(() => {
      this.#gathers = false;
      this.#stream.uncork();
    });
  }
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

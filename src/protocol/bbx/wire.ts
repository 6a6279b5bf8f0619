/**
 * What the protocol needs of a WebSocket, and all it knows of one. `src/net/web-socket.ts` gives it over a stream,
 * `test/rigs/memory-wire.ts` in memory; the protocol never opens one.
 *
 * Contract. Messages arrive whole and in the order they were sent, text and binary in one order. Nothing is delivered before `on` was
 * called, and nothing after `closed` was. `closed` is called exactly once, whatever happened. A peer's pings are answered by the socket.
 */
export interface MessageSocket {
  /** Queues a text message; after the end it does nothing. Never throws. */
  sendText(text: string): void;
  /** Queues a binary message. The bytes are the socket's from now on: the caller does not change them. */
  sendBinary(bytes: Uint8Array): void;
  /** Sends a WebSocket ping; the pong comes as `alive`. */
  ping(): void;
  /** Bytes queued here and not yet taken by the kernel. */
  readonly unsent: number;
  /** Largest message accepted from now on, in bytes; a larger one closes with 1009 before it is in memory. Starts at `LIMITS.greetingBytes`. */
  limit(bytes: number): void;
  /** Stops reading, so that the peer is held up by TCP. What was read already may still be delivered (at most a read's worth). */
  pause(): void;
  resume(): void;
  /** Sends what is queued and the closing code, waits at most 2 s for the peer's answer, then destroys. `closed` follows. */
  close(code: number, reason: string): void;
  /** Ends at once, without a word. `closed` follows. */
  destroy(): void;
  /** Sets who listens; called once, before anything is delivered. Handlers must not throw. */
  on(handlers: MessageSocketHandlers): void;
}

export interface MessageSocketHandlers {
  text(text: string): void;
  /** The bytes are the receiver's; the socket does not reuse them. */
  binary(bytes: Uint8Array): void;
  /** Bytes of any kind have arrived: part of a message, a ping, a pong. May be called before the message they belong to. */
  alive(): void;
  /** The peer has answered a ping. A socket that cannot tell never calls it. */
  pong?(): void;
  /** `unsent` has fallen, after a time in which it was above zero. */
  drained(): void;
  /** The end. `code` is the peer's closing code, 1006 when it went without one; `error` is set when this side saw a fault. */
  closed(code: number, reason: string, error?: Error): void;
}

/** Closing codes of `bbx.worker.v1`; the table with their meaning is in docs/protocol.md. */
export const CLOSE = {
  normal: 1000,
  stopping: 1001,
  /** A message or frame that breaks the rules. */
  malformed: 4000,
  /** Refused with a `refused` message, which says why. */
  refused: 4001,
  /** Another session of the same worker took the place. */
  replaced: 4002,
  /** Nothing was received for `LIMITS.silenceMs`. */
  silent: 4003,
  /** Not authenticated within `LIMITS.authenticationMs`. */
  tooSlow: 4004,
  /** The peer does not read what it is sent. */
  notReading: 4005,
  /** A fault at this side, for instance a full disk; come again. */
  fault: 4006,
  /** The worker sends on of a stream that was to rest, or does not say that it rests. */
  notPausing: 4007,
} as const;

/** The WebSocket's subprotocol; a peer that does not offer it is not a worker. The path is `/`, any path on the web port. */
export const WORKER_SUBPROTOCOL = 'bbx.worker.v1';

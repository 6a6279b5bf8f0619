import type { Clock } from '../../base/clock.ts';
import type { BbxError } from '../../base/error.ts';
import { protocolCodes } from '../codes.ts';
import { startHeartbeat, type Heartbeat, type HeartbeatOptions } from './heartbeat.ts';
import { createInbox, type Inbox, type InboxOptions } from './inbox.ts';
import type { Limits } from './limits.ts';
import type { PulseReading } from './pulse.ts';
import { CLOSE } from './wire.ts';
import type { MessageSocket, MessageSocketHandlers } from './wire.ts';

/** Why and how a session ended. */
export interface SessionEnd {
  /** A closing code: one of `CLOSE`, 1006 for an end without a word, 1009 for too large a message. */
  code: number;
  reason: string;
  /** Who ended it: this side, the peer, or nobody (the connection was gone, with or without a fault that was seen). */
  by: 'here' | 'peer' | 'nobody';
  error?: BbxError;
}

/** What both ends of a session share: order, pauses, signs of life, sizes, and one end. */
export interface Line {
  /** Throws BBX-PRO-TOO-LARGE before anything is sent. */
  send(message: object): void;
  sendBytes(bytes: Uint8Array): void;
  readonly unsent: number;
  /** Resolves when `unsent` is under `LIMITS.unsentBytes`, or at once after the end. */
  untilDrained(): Promise<void>;
  /** From now on full-sized messages are taken. */
  raiseLimit(): void;
  readonly heardAt: number;
  /** Milliseconds so far in which nothing that came was taken, since a handler was waited for. */
  readonly heldMs: number;
  /** Bytes of messages and frames so far. */
  readonly traffic: { readonly received: number; readonly sent: number };
  /** Round trips since the last call. */
  takePulse(): PulseReading;
  /** Sends no pings for so long, and takes no silence for a dead peer. */
  quiet(ms: number): void;
  readonly ended: boolean;
  /** Resolves when the socket has ended and no handler runs any more. */
  readonly end: Promise<SessionEnd>;
  /** What was received and not yet handled is dropped. */
  close(code: number, reason: string, error?: BbxError): void;
  /** Closes with `CLOSE.malformed`. `state` goes on "it sent …". */
  malformed(state: string): void;
}

export interface LineOptions {
  socket: MessageSocket;
  peer: string;
  clock: Clock;
  limits: Limits;
  text(text: string): void | Promise<void>;
  binary(bytes: Uint8Array): void | Promise<void>;
  /** The socket has ended; handlers that wait for something else must not wait any longer. `end` follows when they are done. */
  gone?(): void;
  /** What `end` resolves with, without a promise that waits for it as long as the session is there. */
  over?(end: SessionEnd): void;
}

/** Longest closing reason in UTF-8 (RFC 6455 section 5.5: a control frame has 125 bytes, two are the code). */
const REASON_BYTES = 123;

/** Speaks JSON and frames over a socket: limits, heartbeat, order, and an end that is told once. */
export function openLine(options: LineOptions): Line {
  return new SocketLine(options);
}

type Item = string | Uint8Array;

/**
 * The socket, the inbox and the heartbeat are handed the line itself to call and to read their limits from: a master holds a line for each worker,
 * and closures for all that they call would be a kilobyte of each.
 */
class SocketLine implements Line, MessageSocketHandlers, InboxOptions<Item>, HeartbeatOptions {
  readonly #options: LineOptions;
  readonly #inbox: Inbox<Item>;
  readonly #heartbeat: Heartbeat;
  readonly traffic = { received: 0, sent: 0 };
  #closing: SessionEnd | undefined;
  #isGone = false;
  #ended: SessionEnd | undefined;
  #awaited: PromiseWithResolvers<SessionEnd> | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: LineOptions) {
    this.#options = options;
    this.#inbox = createInbox<Item>(this);
    this.#heartbeat = startHeartbeat(this);
    options.socket.on(this);
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get pingEveryMs(): number {
    return this.#options.limits.pingEveryMs;
  }

  get silenceMs(): number {
    return this.#options.limits.silenceMs;
  }

  get maxBytes(): number {
    return this.#options.limits.queueBytes;
  }

  get maxItems(): number {
    return this.#options.limits.queueMessages;
  }

  get unsent(): number {
    return this.#options.socket.unsent;
  }

  get heardAt(): number {
    return this.#heartbeat.heardAt;
  }

  get heldMs(): number {
    return this.#inbox.heldMs;
  }

  get ended(): boolean {
    return this.#isGone || this.#closing !== undefined;
  }

  get end(): Promise<SessionEnd> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    this.#awaited ??= Promise.withResolvers();
    return this.#awaited.promise;
  }

  send(message: object): void {
    if (this.ended) return;
    const { socket, limits } = this.#options;
    const text = JSON.stringify(message);
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.messageBytes) {
      const what = `a message "${String((message as { type?: unknown }).type)}"`;
      throw protocolCodes['BBX-PRO-TOO-LARGE']({ what, bytes, limit: limits.messageBytes });
    }
    this.traffic.sent += bytes;
    socket.sendText(text);
    this.#checkBacklog();
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.ended) return;
    this.traffic.sent += bytes.length;
    this.#options.socket.sendBinary(bytes);
    this.#checkBacklog();
  }

  async untilDrained(): Promise<void> {
    const { socket, limits } = this.#options;
    while (!this.#isGone && socket.unsent >= limits.unsentBytes) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  raiseLimit(): void {
    this.#options.socket.limit(this.#options.limits.messageBytes);
  }

  takePulse(): PulseReading {
    return this.#heartbeat.takePulse();
  }

  quiet(ms: number): void {
    this.#heartbeat.quiet(ms);
  }

  close(code: number, reason: string, error?: BbxError): void {
    if (this.ended) return;
    this.#closing = { code, reason, by: 'here', ...(error === undefined ? {} : { error }) };
    this.#inbox.clear();
    this.#options.socket.close(code, cut(reason));
  }

  malformed(state: string): void {
    const { peer } = this.#options;
    this.close(CLOSE.malformed, state, protocolCodes['BBX-PRO-MALFORMED']({ peer, state }));
  }

  text(text: string): void {
    this.#take(text, Buffer.byteLength(text));
  }

  binary(bytes: Uint8Array): void {
    this.#take(bytes, bytes.length);
  }

  pong(): void {
    this.#heartbeat.ponged();
  }

  alive(): void {
    this.#heartbeat.heard();
    this.#checkBacklog();
  }

  drained(): void {
    const woken = this.#waiters;
    this.#waiters = [];
    for (const resolve of woken) resolve();
  }

  closed(code: number, reason: string, error: Error | undefined): void {
    this.#isGone = true;
    this.#heartbeat.stop();
    this.drained();
    this.#options.gone?.();
    const end = this.#closing ?? endByPeer(this.#options.peer, code, reason, error);
    // What came before the peer's close still counts: its last words may be among it.
    if (this.#closing !== undefined) this.#inbox.clear();
    void this.#inbox.idle().then(() => this.#over(end));
  }

  ping(): void {
    this.#options.socket.ping();
  }

  /** Nobody is there to answer a closing handshake. */
  dead(): void {
    const { socket, peer, limits } = this.#options;
    const state = `nothing was received for ${Math.round(limits.silenceMs / 1000)} s`;
    this.#closing ??= {
      code: CLOSE.silent,
      reason: 'silent',
      by: 'nobody',
      error: protocolCodes['BBX-PRO-LOST']({ peer, state }),
    };
    socket.destroy();
  }

  handle(item: Item): void | Promise<void> {
    // After a close from this side nothing is handled any more, whatever was on the way.
    if (this.#closing !== undefined && !this.#isGone) return;
    return typeof item === 'string' ? this.#options.text(item) : this.#options.binary(item);
  }

  full(full: boolean): void {
    this.#heartbeat.hold(full);
    if (full) this.#options.socket.pause();
    else this.#options.socket.resume();
  }

  failed(error: unknown): void {
    const { peer } = this.#options;
    const state = 'this side failed while handling a message';
    this.close(CLOSE.fault, 'fault', protocolCodes['BBX-PRO-LOST']({ peer, state }, { cause: error }));
  }

  #take(item: Item, bytes: number): void {
    this.traffic.received += bytes;
    this.#inbox.push(item, bytes);
  }

  /** A peer that only asks and never reads would make the answers pile up here. */
  #checkBacklog(): void {
    const { socket, peer, limits } = this.#options;
    if (socket.unsent <= limits.backlogBytes || this.ended) return;
    const state = `it does not read what it is sent (${socket.unsent} bytes wait)`;
    this.#closing = {
      code: CLOSE.notReading,
      reason: 'not reading',
      by: 'here',
      error: protocolCodes['BBX-PRO-LOST']({ peer, state }),
    };
    socket.destroy();
  }

  #over(end: SessionEnd): void {
    this.#ended = end;
    this.#options.over?.(end);
    this.#awaited?.resolve(end);
  }
}

function endByPeer(peer: string, code: number, reason: string, cause: Error | undefined): SessionEnd {
  if (code === CLOSE.normal) return { code, reason, by: 'peer' };
  const said = reason === '' ? '' : ` ("${reason}")`;
  const state =
    code === 1006
      ? `the connection ended without a word${cause === undefined ? '' : `: ${cause.message}`}`
      : `it closed with ${code}${said}`;
  const error = protocolCodes['BBX-PRO-LOST']({ peer, state }, cause === undefined ? {} : { cause });
  return { code, reason, by: code === 1006 ? 'nobody' : 'peer', error };
}

function cut(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > REASON_BYTES) text = text.slice(0, -1);
  return text;
}

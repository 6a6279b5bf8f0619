import type { Clock } from '../../base/clock.ts';
import type { BbxError } from '../../base/error.ts';
import { handlesWith } from '../../base/handle.ts';
import { protocolCodes } from '../codes.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import { createInbox } from './inbox.ts';
import type { Limits } from './limits.ts';
import type { PulseReading } from './pulse.ts';
import { CLOSE } from './wire.ts';
import type { MessageSocket } from './wire.ts';

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
  drained(): Promise<void>;
  /** From now on full-sized messages are taken. */
  raiseLimit(): void;
  readonly heardAt: number;
  /** Bytes of messages and frames so far. */
  readonly traffic: { readonly received: number; readonly sent: number };
  /** Round trips since the last call. */
  takePulse(): PulseReading;
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
}

/** Longest closing reason in UTF-8 (RFC 6455 section 5.5: a control frame has 125 bytes, two are the code). */
const REASON_BYTES = 123;

const lineHandle = handlesWith<
  { socket: MessageSocket; heartbeat: Heartbeat; over(): boolean },
  Pick<Line, 'unsent' | 'heardAt' | 'ended'>
>({
  unsent: ({ socket }) => socket.unsent,
  heardAt: ({ heartbeat }) => heartbeat.heardAt,
  ended: ({ over }) => over(),
});

/** Speaks JSON and frames over a socket: limits, heartbeat, order, and an end that is told once. */
export function openLine(options: LineOptions): Line {
  const { socket, peer, limits } = options;
  let closing: SessionEnd | undefined;
  let gone = false;
  const traffic = { received: 0, sent: 0 };
  let waiters: (() => void)[] = [];
  const ended = Promise.withResolvers<SessionEnd>();

  const inbox = createInbox<string | Uint8Array>({
    maxBytes: limits.queueBytes,
    maxItems: limits.queueMessages,
    full(full) {
      heartbeat.hold(full);
      if (full) socket.pause();
      else socket.resume();
    },
    handle: (item) => {
      // After a close from this side nothing is handled any more, whatever was on the way.
      if (closing !== undefined && !gone) return;
      return typeof item === 'string' ? options.text(item) : options.binary(item);
    },
    failed(error) {
      const state = 'this side failed while handling a message';
      close(CLOSE.fault, 'fault', protocolCodes['BBX-PRO-LOST']({ peer, state }, { cause: error }));
    },
  });
  const heartbeat = startHeartbeat({
    clock: options.clock,
    pingEveryMs: limits.pingEveryMs,
    silenceMs: limits.silenceMs,
    ping: () => socket.ping(),
    dead() {
      const state = `nothing was received for ${Math.round(limits.silenceMs / 1000)} s`;
      closing ??= {
        code: CLOSE.silent,
        reason: 'silent',
        by: 'nobody',
        error: protocolCodes['BBX-PRO-LOST']({ peer, state }),
      };
      // Nobody is there to answer a closing handshake.
      socket.destroy();
    },
  });

  const wake = () => {
    const woken = waiters;
    waiters = [];
    for (const resolve of woken) resolve();
  };
  const close = (code: number, reason: string, error?: BbxError) => {
    if (closing !== undefined || gone) return;
    closing = { code, reason, by: 'here', ...(error === undefined ? {} : { error }) };
    inbox.clear();
    socket.close(code, cut(reason));
  };
  /** A peer that only asks and never reads would make the answers pile up here. */
  const checkBacklog = () => {
    if (socket.unsent <= limits.backlogBytes || closing !== undefined || gone) return;
    const state = `it does not read what it is sent (${socket.unsent} bytes wait)`;
    closing = {
      code: CLOSE.notReading,
      reason: 'not reading',
      by: 'here',
      error: protocolCodes['BBX-PRO-LOST']({ peer, state }),
    };
    socket.destroy();
  };

  socket.on({
    text(text) {
      const bytes = Buffer.byteLength(text);
      traffic.received += bytes;
      inbox.push(text, bytes);
    },
    binary(bytes) {
      traffic.received += bytes.length;
      inbox.push(bytes, bytes.length);
    },
    pong: () => heartbeat.ponged(),
    alive() {
      heartbeat.heard();
      checkBacklog();
    },
    drained: wake,
    closed(code, reason, error) {
      gone = true;
      heartbeat.stop();
      wake();
      options.gone?.();
      const end = closing ?? endByPeer(peer, code, reason, error);
      // What came before the peer's close still counts: its last words may be among it.
      if (closing !== undefined) inbox.clear();
      void inbox.idle().then(() => ended.resolve(end));
    },
  });

  const over = () => gone || closing !== undefined;
  return lineHandle(
    { socket, heartbeat, over },
    {
      send(message: object) {
        if (closing !== undefined || gone) return;
        const text = JSON.stringify(message);
        const bytes = Buffer.byteLength(text);
        if (bytes > limits.messageBytes) {
          const what = `a message "${String((message as { type?: unknown }).type)}"`;
          throw protocolCodes['BBX-PRO-TOO-LARGE']({ what, bytes, limit: limits.messageBytes });
        }
        traffic.sent += bytes;
        socket.sendText(text);
        checkBacklog();
      },
      sendBytes(bytes: Uint8Array) {
        if (closing !== undefined || gone) return;
        traffic.sent += bytes.length;
        socket.sendBinary(bytes);
        checkBacklog();
      },
      async drained() {
        while (!gone && socket.unsent >= limits.unsentBytes) {
          await new Promise<void>((resolve) => waiters.push(resolve));
        }
      },
      raiseLimit: () => socket.limit(limits.messageBytes),
      traffic,
      takePulse: () => heartbeat.takePulse(),
      end: ended.promise,
      close,
      malformed(state: string) {
        close(CLOSE.malformed, state, protocolCodes['BBX-PRO-MALFORMED']({ peer, state }));
      },
    },
  );
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

import { LIMITS } from '../../src/protocol/bbx/limits.ts';
import type { MessageSocket, MessageSocketHandlers } from '../../src/protocol/bbx/wire.ts';

type Item =
  { text: string } | { bytes: Uint8Array } | { ping: true } | { pong: true } | { close: [number, string] };

/** One end of a wire in memory, with what tests need to make trouble. */
export interface MemorySocket extends MessageSocket {
  /** Every text and binary message that this end has sent. */
  readonly sent: (string | Uint8Array)[];
  /** While true nothing that is sent here arrives: a silent network. */
  mute: boolean;
  /** Messages that may still leave from here before the wire is cut; both ends then see 1006. */
  cutAfter: number;
}

/** Two joined sockets that keep the contract of `MessageSocket`: what is sent here arrives there, later, whole and in order. */
export function memoryWire(): [MemorySocket, MemorySocket] {
  const a = end();
  const b = end();
  a.join(b);
  b.join(a);
  return [a.socket, b.socket];
}

interface End {
  socket: MemorySocket;
  join(peer: End): void;
  arrive(item: Item): void;
  over(code: number, reason: string, error?: Error): void;
}

function end(): End {
  let peer: End | undefined;
  let handlers: MessageSocketHandlers | undefined;
  let limit: number = LIMITS.greetingBytes;
  let isOver = false;
  let closing = false;
  let paused = false;
  let running = false;
  let unsent = 0;
  const incoming: Item[] = [];

  const over = (code: number, reason: string, error?: Error) => {
    if (isOver) return;
    isOver = true;
    // As with a real socket: later, and when somebody listens.
    queueMicrotask(() => handlers?.closed(code, reason, error));
  };
  const run = () => {
    if (running || handlers === undefined) return;
    running = true;
    setImmediate(() => {
      running = false;
      while (!paused && !isOver && incoming.length > 0) take(incoming.shift() as Item);
    });
  };
  const take = (item: Item) => {
    if ('close' in item) {
      peer?.over(...item.close);
      return over(...item.close);
    }
    handlers?.alive();
    if ('ping' in item) return put({ pong: true });
    if ('pong' in item) return handlers?.pong?.();
    const size = 'text' in item ? Buffer.byteLength(item.text) : item.bytes.length;
    if (size > limit) {
      peer?.over(1009, 'too large');
      return over(1009, 'too large', new Error(`a message of ${size} bytes`));
    }
    if ('text' in item) handlers?.text(item.text);
    else handlers?.binary(item.bytes);
  };
  const put = (item: Item) => {
    if (isOver || closing || socket.mute) return;
    if ('text' in item || 'bytes' in item) {
      if (socket.cutAfter <= 0) {
        over(1006, '');
        peer?.over(1006, '');
        return;
      }
      socket.cutAfter -= 1;
      socket.sent.push('text' in item ? item.text : item.bytes);
      const size = 'text' in item ? item.text.length : item.bytes.length;
      unsent += size;
      setImmediate(() => {
        unsent -= size;
        if (!isOver) handlers?.drained();
      });
    }
    peer?.arrive(item);
  };
  const socket: MemorySocket = {
    sent: [],
    mute: false,
    cutAfter: Infinity,
    sendText: (text) => put({ text }),
    sendBinary: (bytes) => put({ bytes }),
    ping: () => put({ ping: true }),
    get unsent() {
      return unsent;
    },
    limit: (bytes) => void (limit = bytes),
    pause: () => void (paused = true),
    resume() {
      paused = false;
      run();
    },
    close(code, reason) {
      put({ close: [code, reason] });
      closing = true;
      // Whoever does not answer is not waited for.
      setTimeout(() => over(code, reason), 50).unref();
    },
    destroy() {
      over(1006, '');
      peer?.over(1006, '');
    },
    on(given) {
      handlers = given;
      run();
    },
  };
  return {
    socket,
    join: (other) => void (peer = other),
    arrive(item) {
      incoming.push(item);
      run();
    },
    over,
  };
}

import type { Duplex } from 'node:stream';

/** Longest line, bytes: the environment of a command with all its secrets, or a piece of output in Base64. */
export const LINE_MAX_BYTES = 16 * 1024 * 1024;

/** What may wait for company waits at most so long. */
const LATER_MS = 20;

/** Values of a line; bytes in them travel as Base64. */
export interface Line {
  /**
   * In order. `later`: nobody waits for it, so it goes with what is sent next, or after a moment: the other side is woken once for both. `now`: it is with the system when
   * this returns, and a killed sender's word is heard, unless `unsent` says that the other side does not keep up, or that side writes to the dead sender before it has read.
   */
  send(value: unknown, when?: 'later' | 'now'): void;
  /** Bytes that the other side has not taken yet. */
  readonly unsent: number;
  close(): void;
}

/** Speaks one JSON value per line over a stream. `onEnd` is called once; a line that is none, or too long, ends the stream. */
export function createLine(
  stream: Duplex,
  handlers: { onValue: (value: unknown) => void; onEnd: () => void },
): Line {
  let parts: Buffer[] = [];
  let length = 0;
  let ended = false;
  let gathering = false;
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    stream.destroy();
    handlers.onEnd();
  };
  const take = (line: Buffer) => {
    let value: unknown;
    try {
      value = JSON.parse(line.toString('utf8'), line.includes(BYTES_WORD) ? revive : undefined);
    } catch {
      return end();
    }
    handlers.onValue(value);
  };
  stream.on('data', (chunk: Buffer) => {
    let at = 0;
    while (!ended) {
      const newline = chunk.indexOf(10, at);
      const piece = chunk.subarray(at, newline === -1 ? chunk.length : newline);
      length += piece.length;
      if (length > LINE_MAX_BYTES) return end();
      if (piece.length > 0) parts.push(piece);
      if (newline === -1) return;
      const line = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
      parts = [];
      length = 0;
      at = newline + 1;
      if (line.length > 0) take(line);
    }
  });
  stream.on('error', end);
  stream.on('close', end);
  stream.on('end', end);
  return {
    send(value, when) {
      if (ended) return;
      waiting += `${JSON.stringify(value, holdsBytes(value) ? replace : undefined)}\n`;
      if (when === 'later') timer ??= setTimeout(write, LATER_MS);
      else write();
      if (when === 'now') {
        stream.uncork();
        gathering = false;
      }
    },
    get unsent() {
      return stream.writableLength;
    },
    close: end,
  };

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    if (ended) return;
    if (!gathering) {
      // What is told in one turn of the event loop is one call to the system, and one time that the other side is woken.
      gathering = true;
      stream.cork();
      setImmediate(() => {
        gathering = false;
        stream.uncork();
      });
    }
    stream.write(waiting);
    waiting = '';
  }
}

const BYTES = '$bytes';
/** A line without it holds no bytes, and needs nobody who is asked about each of its values. */
const BYTES_WORD = Buffer.from(JSON.stringify(BYTES));

function holdsBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Uint8Array || Object.values(value).some(holdsBytes);
}

function replace(this: unknown, name: string, value: unknown): unknown {
  // A Buffer has turned itself into an object of its own kind before this sees it.
  const raw = (this as Record<string, unknown>)[name];
  return raw instanceof Uint8Array ? { [BYTES]: Buffer.from(raw).toString('base64') } : value;
}

function revive(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(BYTES in value)) return value;
  return Object.keys(value).length === 1 ? Buffer.from(String(value[BYTES]), 'base64') : value;
}

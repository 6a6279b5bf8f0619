import type { Channel } from './command-port.ts';
import type { LogWriter } from './journal.ts';
import type { LogMax } from './plan.ts';

/** A log's writer that keeps no more of a command's output than it may. */
export interface LimitedLog {
  write: LogWriter['write'];
  /** The command says no more: writes how much was cut, and the end that is kept. */
  end(): Promise<void>;
  /** Bytes of the output that are not in the log. */
  readonly cut: number;
}

/** Where a cut comes near the end of a line, it comes there: looked for in so many bytes. */
const LINE_BYTES = 4_096;

/** Lets output through until there are `max.bytes` of it; of what follows the last `max.tailBytes` come at its end. Words of ours are not counted. */
export function limitLog(log: Pick<LogWriter, 'write'>, max: LogMax | null): LimitedLog {
  let room = max?.bytes ?? Infinity;
  let tail: Tail | undefined;
  let atLineStart = true;

  const pass = (channel: Channel, bytes: Uint8Array) => {
    if (bytes.length > 0) atLineStart = bytes.at(-1) === NEWLINE;
    return log.write(channel, bytes);
  };
  const say = (words: string) => pass('header', Buffer.from(`${atLineStart ? '' : '\n'}bbx: ${words}\n`));

  /** Keeps what may be the end. That something is left out is said as soon as it is, since many read along. */
  function hold(kept: Tail, channel: Channel, bytes: Uint8Array): void | Promise<void> {
    const before = kept.dropped;
    kept.push(channel, bytes);
    if (before > 0 || kept.dropped === 0) return undefined;
    const { bytes: most, tailBytes } = max!;
    const but = tailBytes === 0 ? '' : `, but for the last ${tailBytes} bytes`;
    return say(
      `the log is cut here by its limit of ${most} bytes: what the command says now is left out${but}`,
    );
  }

  async function beginCut(channel: Channel, bytes: Uint8Array, limit: LogMax): Promise<void> {
    const behindLine = atLineStart && room < limit.bytes;
    const kept = bytes.subarray(0, wholeLines(bytes, room, behindLine));
    tail = createTail(limit.tailBytes);
    if (kept.length > 0) await pass(channel, kept);
    await hold(tail, channel, bytes.subarray(kept.length));
  }

  return {
    write(channel, bytes) {
      if (max === null || channel === 'header') return pass(channel, bytes);
      if (tail !== undefined) return hold(tail, channel, bytes);
      if (bytes.length > room) return beginCut(channel, bytes, max);
      room -= bytes.length;
      return pass(channel, bytes);
    },
    async end() {
      if (tail === undefined) return;
      const pieces = tail.take();
      if (tail.dropped > 0) await say(`cut by limit: ${tail.dropped} bytes are left out here`);
      for (const { channel, bytes } of pieces) await pass(channel, bytes);
    },
    get cut() {
      return tail?.dropped ?? 0;
    },
  };
}

const NEWLINE = 0x0a;

/** How many of the bytes stay, at most `room`: up to the end of a line where one is near, which may be just before them. */
function wholeLines(bytes: Uint8Array, room: number, behindLine: boolean): number {
  const from = Math.max(0, room - LINE_BYTES);
  const near = bytes.subarray(from, room).lastIndexOf(NEWLINE);
  if (near !== -1) return from + near + 1;
  return behindLine && from === 0 ? 0 : room;
}

interface Tail {
  push(channel: Channel, bytes: Uint8Array): void;
  /** What is kept, oldest first, from the beginning of a line where one is near; nothing may be pushed any more. */
  take(): { channel: Channel; bytes: Uint8Array }[];
  /** Bytes that are kept no more. */
  readonly dropped: number;
}

/** A piece costs some memory beside its bytes: small ones count as this many, or as all that may be kept where that is less. */
const PIECE_BYTES = 64;
/** Small pieces of one channel are put together up to this. */
const TOGETHER_BYTES = 4_096;

/** The last `most` bytes of what is pushed. */
function createTail(most: number): Tail {
  /** `after`: the byte of the output that came before the first of these. */
  let pieces: { channel: Channel; bytes: Buffer; after: number | undefined }[] = [];
  let newest: number | undefined;
  /** The first that still counts; those before it are removed many at once. */
  let first = 0;
  let held = 0;
  let dropped = 0;
  const least = Math.min(PIECE_BYTES, most);
  const cost = (bytes: Uint8Array) => Math.max(least, bytes.length);

  function trim(): void {
    for (let piece = pieces[first]; held > most && piece !== undefined; piece = pieces[first]) {
      const over = held - most;
      if (piece.bytes.length - over >= least) {
        piece.after = piece.bytes[over - 1];
        piece.bytes = piece.bytes.subarray(over);
        held -= over;
        dropped += over;
        break;
      }
      held -= cost(piece.bytes);
      dropped += piece.bytes.length;
      first += 1;
    }
    if (first < pieces.length / 2) return;
    pieces = pieces.slice(first);
    first = 0;
  }

  return {
    push(channel, given) {
      // No more than what may be kept is copied.
      const over = Math.max(0, given.length - most);
      const bytes = given.subarray(over);
      dropped += over;
      if (bytes.length === 0) return;
      const after = over > 0 ? given[over - 1] : newest;
      newest = given.at(-1);
      const last = pieces.at(-1);
      const isNext = over === 0 && last?.channel === channel;
      if (isNext && last.bytes.length + bytes.length <= TOGETHER_BYTES) {
        held -= cost(last.bytes);
        last.bytes = Buffer.concat([last.bytes, bytes]);
        held += cost(last.bytes);
      } else {
        pieces.push({ channel, bytes: Buffer.from(bytes), after });
        held += cost(bytes);
      }
      trim();
    },
    take() {
      const kept = pieces.slice(first);
      const [head, ...rest] = kept;
      if (head === undefined || dropped === 0) return kept;
      if (head.after === NEWLINE) return kept;
      const newline = head.bytes.subarray(0, LINE_BYTES).indexOf(NEWLINE) + 1;
      dropped += newline;
      const bytes = head.bytes.subarray(newline);
      return bytes.length === 0 ? rest : [{ channel: head.channel, bytes }, ...rest];
    },
    get dropped() {
      return dropped;
    },
  };
}

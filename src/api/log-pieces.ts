import * as z from 'zod';

/**
 * A log as pieces, the answer of the log route with `pieces=true`: each piece is a line of JSON, a `\n`, and so many bytes as the line says. A
 * hole has a line alone: its bytes are lost, and only their number is known. Where a log breaks off, not even that is.
 */
const pieceHead = z.union([
  z.object({
    offset: z.number().int().nonnegative(),
    at: z.number(),
    channel: z.enum(['stdout', 'stderr', 'header']),
    bytes: z.number().int().positive(),
  }),
  z.object({
    offset: z.number().int().nonnegative(),
    at: z.number(),
    lost: z.number().int().positive(),
    /** Why: `disk`, the file on the master's disk is damaged there. */
    cause: z.literal('disk'),
  }),
  /** The last one: the log breaks off here, and how much is missing nobody can say. */
  z.object({
    offset: z.number().int().nonnegative(),
    at: z.number(),
    lost: z.null(),
    /** Why: `worker`, it has never told the log's end. */
    cause: z.literal('worker'),
    /** What became of its build, in words. */
    why: z.string().max(2_000),
  }),
]);
export type LogPieceHead = z.infer<typeof pieceHead>;

export type LogHole = Extract<LogPieceHead, { lost: number }>;
export type LogBreak = Extract<LogPieceHead, { lost: null }>;
/** A piece that was read: bytes of one channel, a hole, or where the log breaks off. */
export type ReadPiece =
  (Extract<LogPieceHead, { channel: string }> & { data: Uint8Array }) | LogHole | LogBreak;

const NEWLINE = 10;
/** A head is some hundred bytes, a piece at most 64 KiB; more is no answer of a master. */
const MOST_HEAD_BYTES = 4_096;
const MOST_PIECE_BYTES = 1024 * 1024;

/** The line that stands before a piece. */
export function pieceLine(head: LogPieceHead): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(head)}\n`);
}

/** Pieces of a stream, as soon as each is whole. Throws what `malformed` makes of a sentence when the stream is something else. */
export async function* readPieces(
  source: AsyncIterable<Uint8Array>,
  malformed: (problem: string) => Error,
): AsyncGenerator<ReadPiece, void, undefined> {
  let held = new Uint8Array();
  let head: Extract<LogPieceHead, { channel: string }> | undefined;
  for await (const chunk of source) {
    held = held.length === 0 ? new Uint8Array(chunk) : joined(held, chunk);
    let at = 0;
    for (;;) {
      if (head !== undefined) {
        if (held.length - at < head.bytes) break;
        yield { ...head, data: held.slice(at, at + head.bytes) };
        at += head.bytes;
        head = undefined;
      }
      const end = held.indexOf(NEWLINE, at);
      if (end === -1) {
        if (held.length - at > MOST_HEAD_BYTES) throw malformed('the head of a piece has no end');
        break;
      }
      const found = parseHead(held.subarray(at, end), malformed);
      at = end + 1;
      if ('lost' in found) yield found;
      else head = found;
    }
    held = held.slice(at);
  }
  // A stream that is cut in a piece: what is missing is asked for again, or was not there yet.
}

function parseHead(line: Uint8Array, malformed: (problem: string) => Error): LogPieceHead {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(line));
  } catch {
    throw malformed('the head of a piece is not JSON');
  }
  const checked = pieceHead.safeParse(value);
  if (!checked.success) throw malformed('the head of a piece is none');
  if ('bytes' in checked.data && checked.data.bytes > MOST_PIECE_BYTES)
    throw malformed('a piece is larger than pieces are');
  return checked.data;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

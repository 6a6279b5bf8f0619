import type { ReadPiece } from '../api/log-pieces.ts';
import type { BuildObject, LogObject, StepObject } from '../api/objects.ts';
import { buildTitle } from '../build/title.ts';
import type { Context } from './terminal/context.ts';
import { writeOut } from './terminal/stream.ts';

/** Version of the JSON Lines of `build log --json`. */
const LINES_VERSION = 1;

/** Most that is held back for a line's end. */
const MAX_LINE_BYTES = 65_536;

/** Writes a log as JSON Lines: text where it is text, else base64; a hole as `lost` with its place and cause, where the log breaks off with `lost: null`. */
export async function writeLogLines(
  context: Context,
  build: BuildObject,
  step: StepObject,
  log: LogObject,
  pieces: AsyncIterable<ReadPiece>,
): Promise<void> {
  const about = { buildid: build.buildid, build: buildTitle(build), step: step.number, log: log.name };
  const line = (rest: object) =>
    writeOut(context, `${JSON.stringify({ type: 'log', v: LINES_VERSION, ...about, ...rest })}\n`);
  let pending = Buffer.alloc(0);
  const give = (part: Buffer) => {
    const text = part.toString('utf8');
    return Buffer.from(text, 'utf8').equals(part)
      ? line({ text })
      : line({ base64: part.toString('base64') });
  };
  for await (const piece of pieces) {
    if ('lost' in piece) {
      if (pending.length > 0) await give(pending);
      pending = Buffer.alloc(0);
      const { lost, offset, cause } = piece;
      await line({ lost, offset, cause, ...(lost === null ? { why: piece.why } : {}) });
      continue;
    }
    pending = Buffer.concat([pending, piece.data]);
    // Whole lines only, so that no character is cut in two; but never wait for an end that does not come.
    const lines = pending.lastIndexOf(0x0a) + 1;
    const end = lines > 0 || pending.length <= MAX_LINE_BYTES ? lines : wholeCharacters(pending);
    if (end === 0) continue;
    await give(pending.subarray(0, end));
    pending = pending.subarray(end);
  }
  if (pending.length > 0) await give(pending);
}

/** How many of the bytes end where a character of UTF-8 (RFC 3629) ends; all of them where they are something else. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

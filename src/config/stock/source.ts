import { isUtf8 } from 'node:buffer';

/**
 * A Python file as it lies on the disk. Its `text` holds a character for each byte (Latin-1), so that every offset is one of bytes and an edit
 * leaves the rest of the file as it is, whatever its encoding and line ends are.
 */
export interface PythonSource {
  readonly text: string;
  /** Bytes of the file as people read them. */
  decode(bytes: string): string;
  readonly encoding: string;
  /** What Python itself would refuse before it reads a word. */
  readonly trouble: SourceTrouble | undefined;
}

export interface SourceTrouble {
  readonly at: number;
  readonly problem: string;
}

/** A place for people: from 1, columns in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

const BOM = '\xef\xbb\xbf';
/** PEP 263: a comment in one of the first two lines. */
const COOKIE =
  /^(?:[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)|[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n)[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+))/;

/** Takes a file's bytes; never throws, whatever they are. */
export function readSource(bytes: Uint8Array): PythonSource {
  const text = Buffer.from(bytes).toString('latin1');
  const cookie = COOKIE.exec(text.startsWith(BOM) ? text.slice(BOM.length) : text);
  const encoding = (cookie?.[1] ?? cookie?.[2] ?? 'utf-8').toLowerCase().replaceAll('_', '-');
  const decoder = decoderOf(encoding);
  const decode = (piece: string) => (decoder ?? new TextDecoder()).decode(Buffer.from(piece, 'latin1'));
  const nul = text.indexOf('\0');
  const trouble =
    nul !== -1
      ? { at: nul, problem: 'a NUL byte, which Python refuses; is the file UTF-16?' }
      : decoder === undefined
        ? { at: 0, problem: `the encoding "${encoding}" of its first lines is not known to bbx` }
        : /^utf-?8/.test(encoding)
          ? misplacedBytes(text)
          : undefined;
  return { text, decode, encoding, trouble };
}

/** Where an offset is. Python ends a line at `\n`, `\r` or both. */
export function placeOf(source: PythonSource, at: number): Place {
  const before = source.text.slice(0, at);
  const start = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
  const line = (before.match(/\r\n|\r|\n/g)?.length ?? 0) + 1;
  const column = source.decode(before.slice(start)).length + 1;
  return { line, column };
}

/** The bounds of the line that an offset is in, without its end. */
export function lineAround(text: string, at: number): { from: number; to: number } {
  const from = Math.max(text.lastIndexOf('\n', at - 1), text.lastIndexOf('\r', at - 1)) + 1;
  const end = /[\r\n]|$/g;
  end.lastIndex = from;
  return { from, to: end.exec(text)?.index ?? text.length };
}

function decoderOf(encoding: string): InstanceType<typeof TextDecoder> | undefined {
  const alias = /^(latin-?1|iso-?8859-1(-.*)?|l1)$/.test(encoding) ? 'windows-1252' : encoding;
  // Encodings that are not ASCII with more; in those nothing here would hold.
  if (/^(utf-?(16|32|7)|.*-?2022.*|hz|.*ebcdic.*|cp(037|500|1140))/.test(alias)) return undefined;
  try {
    return new TextDecoder(alias);
  } catch {
    return undefined;
  }
}

/** The first line that is not UTF-8. */
function misplacedBytes(text: string): SourceTrouble | undefined {
  if (isUtf8(Buffer.from(text, 'latin1'))) return undefined;
  for (let at = 0; at < text.length;) {
    const { to } = lineAround(text, at);
    if (!isUtf8(Buffer.from(text.slice(at, to), 'latin1')))
      return { at, problem: 'bytes that are not UTF-8, which Python refuses' };
    at = to + 1;
  }
  return undefined;
}

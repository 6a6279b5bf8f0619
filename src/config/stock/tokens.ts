import type { SourceTrouble } from './source.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'op';
  /** Offsets in the source's text. */
  readonly from: number;
  readonly to: number;
}

/** What Python takes as one line: up to a line end outside brackets, or a `;`. */
export interface LogicalLine {
  /** Columns of white space before it; that of the line before where a `;` came between. */
  readonly indent: number;
  readonly tokens: readonly Token[];
}

export interface Scanned {
  readonly lines: readonly LogicalLine[];
  readonly comments: readonly { readonly from: number; readonly to: number }[];
  /** Where Python would refuse the text; what comes behind it was not read. */
  readonly trouble: SourceTrouble | undefined;
  /** For each opening bracket its closing one, by offset. */
  readonly pairs: ReadonlyMap<number, number>;
}

const SPACE = /[ \t\f]+|\\(?:\r\n|\r|\n)/y;
const COMMENT = /#[^\r\n]*/y;
const NEWLINE = /\r\n|\r|\n/y;
const NAME = /[A-Za-z_\x80-\xff][\w\x80-\xff]*/y;
const NUMBER =
  /(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)[jJ]?/y;
const STRING_START = /(?:[rbuf]|[rb][rb]|[rf][rf])?('''|"""|'|")/iy;
const OP = /\*\*=|\/\/=|>>=|<<=|\.\.\.|:=|->|[+\-*/%@&|^<>=!]=|\*\*|\/\/|<<|>>|[()[\]{},:.;@=+\-*/%&|^~<>!]/y;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Parts a Python text into words, as Python's own reader does; linear in its length, never throws. */
export function scan(text: string): Scanned {
  const lines: LogicalLine[] = [];
  const comments: { from: number; to: number }[] = [];
  const pairs = new Map<number, number>();
  const open: { at: number; closing: string }[] = [];
  let tokens: Token[] = [];
  let at = text.startsWith('\xef\xbb\xbf') ? 3 : 0;
  let indent = 0;
  let fresh = true;
  const finish = () => {
    if (tokens.length > 0) lines.push({ indent, tokens });
    tokens = [];
  };
  const stop = (problem: string, place: number): Scanned => {
    finish();
    return { lines, comments, trouble: { at: place, problem }, pairs };
  };
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    if (fresh && open.length === 0) {
      const white = take(/[ \t\f]*/y) ?? '';
      indent = widthOf(white);
      at += white.length;
      fresh = false;
      continue;
    }
    const blank = take(SPACE) ?? take(COMMENT);
    if (blank !== undefined) {
      if (blank.startsWith('#')) comments.push({ from: at, to: at + blank.length });
      at += blank.length;
      continue;
    }
    const end = take(NEWLINE);
    if (end !== undefined) {
      at += end.length;
      if (open.length > 0) continue;
      finish();
      fresh = true;
      continue;
    }
    const quote = take(STRING_START);
    if (quote !== undefined) {
      const to = endOfString(text, at, quote);
      if (to === undefined)
        return stop(
          quote.length > 2 && /(.)\1\1$/.test(quote)
            ? 'a text in triple quotes that never ends'
            : 'a text that does not end on its line',
          at,
        );
      tokens.push({ kind: 'string', from: at, to });
      at = to;
      continue;
    }
    const name = take(NAME);
    const number = name === undefined ? take(NUMBER) : undefined;
    const word = name ?? number ?? take(OP);
    if (word === undefined)
      return stop(`${JSON.stringify(text[at])}, which has no meaning in Python here`, at);
    const from = at;
    at += word.length;
    if (word === ';' && open.length === 0) {
      finish();
      continue;
    }
    tokens.push({ kind: name !== undefined ? 'name' : number !== undefined ? 'number' : 'op', from, to: at });
    const closing = CLOSING[word];
    if (closing !== undefined) open.push({ at: from, closing });
    else if (word === ')' || word === ']' || word === '}') {
      const last = open.pop();
      if (last?.closing !== word) return stop(`"${word}" closes nothing that is open`, from);
      pairs.set(last.at, from);
    }
  }
  const left = open.at(-1);
  return left === undefined
    ? (finish(), { lines, comments, trouble: undefined, pairs })
    : stop(`"${text[left.at]}" that is never closed`, left.at);
}

/** A tab goes on to the next column that is a multiple of 8. */
function widthOf(white: string): number {
  let width = 0;
  for (const character of white) width = character === '\t' ? width - (width % 8) + 8 : width + 1;
  return width;
}

/** Also in a raw string a backslash keeps the quote behind it from ending the text. */
function endOfString(text: string, from: number, start: string): number | undefined {
  const quote = /('''|"""|'|")$/.exec(start)?.[0] ?? "'";
  let at = from + start.length;
  for (;;) {
    const next = text.slice(at, at + quote.length);
    if (next === quote) return at + quote.length;
    const character = text[at];
    if (character === undefined) return undefined;
    if (quote.length === 1 && (character === '\n' || character === '\r')) return undefined;
    at += character === '\\' ? (text.startsWith('\r\n', at + 1) ? 3 : 2) : 1;
    if (at > text.length) return undefined;
  }
}

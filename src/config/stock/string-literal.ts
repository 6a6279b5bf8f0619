import type { PythonSource } from './source.ts';

/** The text of one literal, with the way back to where each of its characters was written. */
export interface ReadString {
  readonly value: string;
  /** Offset in the source of each UTF-16 unit of `value`, and of the end as the last entry. */
  readonly at: readonly number[];
  readonly bytes: boolean;
  /** `\:` and the like, which Python keeps as they are and complains of since 3.6 (aloud since 3.12). */
  readonly odd: readonly { readonly at: number; readonly text: string }[];
  /** Set where the value is not a plain text (a formatted one), or Python refuses it. */
  readonly unclear?: string;
  /** A formatted text in which names stand. */
  readonly formatted: boolean;
}

/** The text of a name that stands in a formatted text, where it is known. */
export type NameText = (name: string) => string | undefined;

const SIMPLE: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const CODE = /x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}/y;

/** Reads the literal between two offsets, as Python's first layer does. */
export function readString(source: PythonSource, from: number, to: number, nameText?: NameText): ReadString {
  const { text } = source;
  const [start = '', prefix = '', quote = "'"] =
    /^([a-z]*)('''|"""|'|")/i.exec(text.slice(from, from + 6)) ?? [];
  const raw = /r/i.test(prefix);
  const bytes = /b/i.test(prefix);
  const formatted = /f/i.test(prefix);
  let filled = false;
  const end = to - quote.length;
  const value: string[] = [];
  const at: number[] = [];
  const odd: { at: number; text: string }[] = [];
  let unclear: string | undefined;
  const add = (piece: string, place: number) => {
    for (let unit = 0; unit < piece.length; unit += 1) {
      value.push(piece.charAt(unit));
      at.push(place);
    }
  };
  let place = from + start.length;
  while (place < end) {
    const character = text.charAt(place);
    if (character === '\r') {
      add('\n', place);
      place += text[place + 1] === '\n' ? 2 : 1;
    } else if (formatted && (character === '{' || character === '}')) {
      const [field = character, name] =
        /^(?:\{\{|\}\}|\{([A-Za-z_]\w*)\})/.exec(text.slice(place, place + 80)) ?? [];
      const filling = name === undefined ? character : nameText?.(name);
      if (filling === undefined || field === character)
        unclear ??= 'a text that is put together when Buildbot runs';
      filled ||= name !== undefined;
      add(filling ?? '', place);
      place += field.length;
    } else if (character === '\\' && !raw) {
      const read = escapeAt(text, place, bytes);
      if (read.unclear !== undefined) unclear ??= read.unclear;
      if (read.odd) odd.push({ at: place, text: text.slice(place, place + read.length) });
      add(read.value, place);
      place += read.length;
    } else if (character > '\x7f') {
      const run = /[\x80-\xff]+/y;
      run.lastIndex = place;
      const piece = run.exec(text)?.[0] ?? character;
      add(bytes ? piece : source.decode(piece), place);
      place += piece.length;
    } else {
      add(character, place);
      place += 1;
    }
  }
  at.push(end);
  return {
    value: value.join(''),
    at,
    bytes,
    odd,
    formatted: filled,
    ...(unclear === undefined ? {} : { unclear }),
  };
}

function escapeAt(
  text: string,
  place: number,
  bytes: boolean,
): { value: string; length: number; odd?: true; unclear?: string } {
  const next = text.charAt(place + 1);
  if (next === '\n') return { value: '', length: 2 };
  if (next === '\r') return { value: '', length: text[place + 2] === '\n' ? 3 : 2 };
  const simple = SIMPLE[next];
  if (simple !== undefined) return { value: simple, length: 2 };
  CODE.lastIndex = place + 1;
  const code = CODE.exec(text)?.[0];
  if (code !== undefined && !(bytes && /^[uU]/.test(code))) {
    const number = /^[xuU]/.test(code) ? Number.parseInt(code.slice(1), 16) : Number.parseInt(code, 8);
    if (number > 0x10ffff)
      return { value: '', length: 1 + code.length, unclear: 'an escape that no character has' };
    return { value: String.fromCodePoint(number), length: 1 + code.length };
  }
  if (/[xuUN]/.test(next) && !(bytes && next !== 'x'))
    return {
      value: '',
      length: 2,
      unclear: next === 'N' ? 'a character by its name' : 'an escape that is cut short',
    };
  return { value: `\\${next}`, length: 2, odd: true };
}

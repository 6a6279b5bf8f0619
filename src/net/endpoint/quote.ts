import { replaceUnsafe, writtenOut } from '../../base/unsafe-text.ts';

/** Longer texts than this are cut: they come from files and peers, and an error is one line. */
const QUOTE_CHARACTERS = 120;

/** Somebody's text in double quotes, safe to print: one line, no control characters, of bounded length. */
export function quote(text: string): string {
  const cut = text.length > QUOTE_CHARACTERS ? `${text.slice(0, QUOTE_CHARACTERS)}…` : text;
  return `"${replaceUnsafe(cut, writtenOut)}"`;
}

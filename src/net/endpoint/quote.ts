/** Longer texts than this are cut: they come from files and peers, and an error is one line. */
const QUOTE_CHARACTERS = 120;

// Controls, and characters that turn or hide the text around them on a terminal.

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Somebody's text in double quotes, safe to print: one line, no control characters, of bounded length. */
export function quote(text: string): string {
  const cut = text.length > QUOTE_CHARACTERS ? `${text.slice(0, QUOTE_CHARACTERS)}…` : text;
  const escaped = cut.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}

/** Two lines: the text, and under its `column` (from 1) a caret. */
export function caret(text: string, column: number): string {
  const shown = text.replace(UNSAFE, ' ');
  return `${shown}\n${' '.repeat(Math.max(0, column - 1))}^`;
}

/** Wraps at spaces; a word longer than the line stays whole, so that it can be copied, and so does a command of bbx's. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words(text)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/**
 * What `wrap` keeps whole. A command begins behind a colon, a quote or a bracket, and goes on to the quote's or the sentence's end; between
 * quotes of its own anything may stand. Half a command, pasted, is another command.
 */
const WORD =
  / ((?:(?<=: +|["'`(])bbx(?:(?<!\S[.,:;!?)]) +(?:(?:[^\s"'`]*=)?(?:\\?"[^"]*"|'[^']*')|[^\s"'`]+))+|[^ ])*)/g;

/** The pieces of a text that are not broken; of two spaces the second has an empty one before it. */
export function words(text: string): string[] {
  return [...` ${text}`.matchAll(WORD)].map(([, word = '']) => word);
}

/** A text under an indent, what is wrapped two further in. */
export function hanging(indent: string, text: string, { width }: { readonly width: number }): string[] {
  const lines = wrap(text, width - indent.length - 2);
  return lines.map((line, index) => (index === 0 ? indent : `${indent}  `) + line);
}

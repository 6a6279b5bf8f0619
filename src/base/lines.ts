/** Wraps at spaces; a word longer than the line stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** A text under an indent, what is wrapped two further in. */
export function hanging(indent: string, text: string, { width }: { readonly width: number }): string[] {
  const lines = wrap(text, width - indent.length - 2);
  return lines.map((line, index) => (index === 0 ? indent : `${indent}  `) + line);
}

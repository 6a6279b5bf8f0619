/**
 * Patterns over names (of workers, branches, joins): `*` stands for any text, also none and also with slashes; every other character
 * stands for itself.
 */

/** Whether a text means many names; one without `*` means just itself. */
export function isPattern(text: string): boolean {
  return text.includes('*');
}

/** Whether a text fits a pattern. Linear in the text's length, whatever the pattern: both may come from a stranger. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  // The leftmost place of each piece leaves the most room to the next, so nothing is ever tried twice.
  let from = first.length;
  for (const piece of rest) {
    const at = text.indexOf(piece, from);
    if (at === -1) return false;
    from = at + piece.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}

/** Whether a text fits one of the patterns; an empty list limits nothing. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, text));
}

/** Whether a branch fits one of the patterns; `*` stands for any text, also with slashes. Linear in the text's length. */
export function matchesBranch(patterns: readonly string[], branch: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, branch));
}

/** Whether a text fits a pattern in which `*` stands for any text, also none. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (!text.startsWith(first)) return false;
  const last = rest.pop();
  if (last === undefined) return text === first;
  let position = first.length;
  for (const piece of rest) {
    const at = text.indexOf(piece, position);
    if (at === -1) return false;
    position = at + piece.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}

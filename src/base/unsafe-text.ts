/**
 * Characters that do something to a terminal or to a reader's eye instead of being seen: controls (C0 and C1), breaks of line and
 * paragraph, and format characters (they hide text or turn its direction), but for the two joiners that scripts and emoji need.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** A text of a stranger (file, peer, server) with every unsafe character given to `replace`; what is left can be printed anywhere. */
export function replaceUnsafe(text: string, replace: (character: string) => string): string {
  return text.replaceAll(UNSAFE, replace);
}

/** An unsafe character as people write it in code: `\x1b`, `\u202e`, `\u{e0001}`. */
export function writtenOut(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}

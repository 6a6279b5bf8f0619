import { expect, it } from 'vitest';
import { replaceUnsafe, writtenOut } from '../../../src/base/unsafe-text.ts';

it.each([
  ['a clear screen', 'a\u001b[2Jb', 'a\\x1b[2Jb'],
  ['an escape of one byte', 'a\u009b2J', 'a\\x9b2J'],
  ['a line', 'a\r\nb', 'a\\x0d\\x0ab'],
  ['a turned direction', 'a\u202eb', 'a\\u202eb'],
  ['a hidden hyphen and a hidden space', 'a\u00adb\u200bc', 'a\\xadb\\u200bc'],
  ['a paragraph', 'a\u2029b', 'a\\u2029b'],
  ['a tag beyond 16 bits', 'a\u{e0041}b', 'a\\u{e0041}b'],
  ['nothing of a language', 'zwölf ✓ نمی\u200cخواهم 👩\u200d🔧', 'zwölf ✓ نمی\u200cخواهم 👩\u200d🔧'],
])('%s is written out', (_, text, expected) => {
  expect(replaceUnsafe(text, writtenOut)).toBe(expected);
});

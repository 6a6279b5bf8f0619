import { replaceUnsafe, writtenOut } from '../../base/unsafe-text.ts';

/** The same value with every unsafe character in its texts written out, as `\x1b`; line ends and tabs stay. */
export function printable<Value>(value: Value): Value {
  return clean(value) as Value;
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return replaceUnsafe(value, kept);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, clean(member)]));
}

function kept(character: string): string {
  return character === '\n' || character === '\t' ? character : writtenOut(character);
}

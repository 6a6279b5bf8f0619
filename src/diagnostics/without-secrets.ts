import { maskPasswords } from '../base/mask-passwords.ts';
import { withoutCredentials } from '../base/without-credentials.ts';

/** Join strings, private keys, and what stands behind the name of a secret; evidence should hold none, and this is the net below it. */
const SECRETS: readonly [pattern: RegExp, instead: string][] = [
  // Of a stock master.cfg.
  [/\b(\w*Worker\(\s*u?(?:"[^"]*"|'[^']*')\s*,\s*)[ub]?("[^"]*"|'[^']*')/g, '$1***'],
  [/\bbbx1\.[\w-]{20,}/g, 'bbx1.***'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '***'],
  [/\b((?:proxy-)?authorization:\s*\w+\s+)[^\s"']+/gi, '$1***'],
  [
    /\b((?:[\w-]*(?:password|passwd|secret|token|api[_-]?key))\s*[=:]\s*)(["']?)[^\s"'*@][^\s"']*\2/gi,
    '$1***',
  ],
];

/** A copy of a value of a report in which no text holds a secret. */
export function withoutSecrets<Value>(value: Value): Value {
  return mapTexts(value, (text) =>
    SECRETS.reduce(
      (rest, [pattern, instead]) => rest.replaceAll(pattern, instead),
      withoutCredentials(maskPasswords(text)),
    ),
  );
}

/** A copy with every text, also of keys, given to `change`. What is no plain data (a date, a map) becomes what JSON makes of it. */
export function mapTexts<Value>(value: Value, change: (text: string) => string): Value {
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return change(part);
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null) return part;
    if (part instanceof Map) return walk(Object.fromEntries(part));
    if ('toJSON' in part && typeof part.toJSON === 'function') return walk((part.toJSON as () => unknown)());
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [change(key), walk(inner)]));
  };
  return walk(value) as Value;
}

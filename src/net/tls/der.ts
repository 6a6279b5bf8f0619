/** The few forms of DER (ITU-T X.690) that a certificate is made of. Each gives the bytes of one whole value. */

function value(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...contents: Uint8Array[]): Buffer => value(0x30, ...contents);
export const set = (...contents: Uint8Array[]): Buffer => value(0x31, ...contents);
export const octets = (content: Uint8Array): Buffer => value(0x04, content);
export const bits = (content: Uint8Array, unused = 0): Buffer => value(0x03, Buffer.from([unused]), content);
export const utf8 = (text: string): Buffer => value(0x0c, Buffer.from(text));
export const yes = (): Buffer => value(0x01, Buffer.from([0xff]));

/** A context-specific tag: `constructed` wraps whole values, otherwise the content is bare. */
export const tagged = (number: number, constructed: boolean, content: Uint8Array): Buffer =>
  value(0x80 | (constructed ? 0x20 : 0) | number, content);

/** A number that is not negative, from its bytes, in the shortest form. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const shortest = bytes.subarray(start);
  const needsZero = (shortest[0] ?? 0) >= 0x80;
  return value(0x02, ...(needsZero ? [Buffer.from([0])] : []), shortest);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const group = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) group.unshift((left & 0x7f) | 0x80);
    bytes.push(...group);
  }
  return value(0x06, Buffer.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after it (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? value(0x17, Buffer.from(digits.slice(2)))
    : value(0x18, Buffer.from(digits));
}

/** RFC 1035 section 2.3.4, of the form on the wire. */
const LABEL_BYTES = 63;
const NAME_BYTES = 255;
/** A length with these two bits points to where the name goes on (section 4.1.4). */
const POINTER = 0xc0;

/** A name as labels with their lengths. Throws RangeError where it cannot be one. The closing dot may be there or not. */
export function writeName(name: string): Buffer {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  const parts: Buffer[] = [];
  for (const label of bare === '' ? [] : bare.split('.')) {
    const bytes = Buffer.from(label, 'latin1');
    if (bytes.length === 0 || bytes.length > LABEL_BYTES) throw new RangeError('a label has 1 to 63 bytes');
    parts.push(Buffer.from([bytes.length]), bytes);
  }
  const whole = Buffer.concat([...parts, Buffer.from([0])]);
  if (whole.length > NAME_BYTES) throw new RangeError('a name has at most 255 bytes');
  return whole;
}

/**
 * The name at `start`, without closing dot, in lower case, and where the bytes after it begin. Bytes that are no letters of host
 * names come as `\ddd`. Compression pointers (RFC 1035 section 4.1.4) must lead backwards, so no answer can send us in a circle.
 */
export function readName(bytes: Buffer, start: number): { name: string; next: number } {
  const labels: string[] = [];
  let at = start;
  let next: number | undefined;
  let earliest = start;
  let total = 1;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new RangeError('a name that runs out of the message');
    if (length === 0) return { name: labels.join('.'), next: next ?? at + 1 };
    if ((length & POINTER) === POINTER) {
      const low = bytes[at + 1];
      if (low === undefined) throw new RangeError('a name that runs out of the message');
      next ??= at + 2;
      const target = ((length & 0x3f) << 8) | low;
      if (target >= earliest) throw new RangeError('a name that points forwards or at itself');
      at = target;
      earliest = target;
      continue;
    }
    if ((length & POINTER) !== 0) throw new RangeError('an unknown kind of label');
    total += length + 1;
    if (total > NAME_BYTES) throw new RangeError('a name that is too long');
    const end = at + 1 + length;
    if (end > bytes.length) throw new RangeError('a name that runs out of the message');
    labels.push(printLabel(bytes.subarray(at + 1, end)));
    at = end;
  }
}

/** RFC 4343 section 2.1: what would be mistaken for a dot, or does not print, is escaped. */
function printLabel(label: Buffer): string {
  let text = '';
  for (const byte of label) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9_*/-]/.test(character)
      ? character.toLowerCase()
      : `\\${byte.toString().padStart(3, '0')}`;
  }
  return text;
}

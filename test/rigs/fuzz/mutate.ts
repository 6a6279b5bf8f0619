/** What is sent on a wire: text and binary messages, in order. */
export type Part = { text: string } | { bytes: Uint8Array };
export type Random = () => number;

/** A whole number from 0 up to but not including `below`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[below(random, values.length)]!;
}

/** Numbers at which programs break. */
const NUMBERS = [
  ...[-1, 0, 1, 2, 0.5, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32],
  ...[2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e308, -0, 4_194_303, 4_194_304, 4_194_305],
];
const TEXTS = [
  '',
  '\0',
  '__proto__',
  'constructor',
  'null',
  '../..',
  '\ud800',
  '💥',
  '1-0000000000000000',
  'a'.repeat(70_000),
];

function strange(random: Random): unknown {
  switch (below(random, 7)) {
    case 0:
      return pick(random, NUMBERS);
    case 1:
      return pick(random, TEXTS);
    case 2:
      return null;
    case 3:
      return random() < 0.5;
    case 4:
      return [];
    case 5:
      return {};
    default:
      return Array.from({ length: below(random, pick(random, [4, 60, 2_000])) }, () => pick(random, NUMBERS));
  }
}

/** The value with one thing in it changed, each as likely, however deep it is: dropped, doubled under another name, or put to something else. */
export function mutateJson(random: Random, value: unknown): unknown {
  return changeAt(random, value, below(random, countOf(value)));
}

/** The value and everything in it. */
function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const child of Object.values(value)) count += countOf(child);
  return count;
}

/** Changes the thing of that number, the value itself being 0. */
function changeAt(random: Random, value: unknown, number: number): unknown {
  if (number === 0 || typeof value !== 'object' || value === null) return changed(random, value);
  const entries: [string, unknown][] = Object.entries(value);
  let left = number - 1;
  let at = 0;
  for (let count = countOf(entries[0]![1]); left >= count; count = countOf(entries[at]![1])) {
    left -= count;
    at += 1;
  }
  const [name, old] = entries[at]!;
  const roll = left === 0 ? random() : 1;
  if (roll < 0.1) entries.splice(at, 1);
  else if (roll < 0.15) entries.push([pick(random, TEXTS), old]);
  else entries[at] = [name, changeAt(random, old, left)];
  return Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}

/** Something else in the place of a value; near the truth is where bookkeeping breaks. */
function changed(random: Random, value: unknown): unknown {
  const roll = random();
  if (typeof value === 'number' && roll < 0.6)
    return value + pick(random, [-1, 1, -2, 2, 10, -10, 65_536, -65_536, 4_194_304]);
  if (typeof value === 'string' && roll < 0.3) return value.slice(0, below(random, value.length + 1));
  if (typeof value === 'string' && roll < 0.4) return value + pick(random, TEXTS);
  if (typeof value === 'boolean' && roll < 0.5) return !value;
  if (Array.isArray(value) && value.length > 0 && roll < 0.3)
    return Array.from({ length: below(random, 300) }, () => pick(random, value as unknown[]));
  return strange(random);
}

/** The bytes with a few of them flipped, cut out, doubled or put in. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let copy = Buffer.from(bytes);
  for (let times = 1 + below(random, 3); times > 0; times -= 1) {
    const at = below(random, copy.length + 1);
    const length = below(random, Math.min(64, copy.length - at + 1));
    switch (below(random, 5)) {
      case 0:
        if (at < copy.length) copy[at] = copy[at]! ^ (1 << below(random, 8));
        break;
      case 1:
        if (at < copy.length) copy[at] = pick(random, [0, 1, 0x7e, 0x7f, 0x80, 0xfe, 0xff]);
        break;
      case 2:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)]);
        break;
      case 3:
        copy = Buffer.concat([copy.subarray(0, at + length), copy.subarray(at)]);
        break;
      default: {
        const put = Buffer.from(Array.from({ length }, () => below(random, 256)));
        copy = Buffer.concat([copy.subarray(0, at), put, copy.subarray(at)]);
      }
    }
  }
  return copy;
}

/** Undefined for what was changed before into something that is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mutatePart(random: Random, part: Part): Part {
  if ('bytes' in part) {
    if (random() < 0.05) return { text: Buffer.from(part.bytes).toString('latin1') };
    return { bytes: mutateBytes(random, part.bytes) };
  }
  const json = parse(part.text);
  if (json === undefined || random() < 0.1) {
    const bytes = mutateBytes(random, Buffer.from(part.text));
    return random() < 0.3 ? { bytes } : { text: Buffer.from(bytes).toString('utf8') };
  }
  return { text: JSON.stringify(mutateJson(random, json)) ?? '' };
}

/** A valid conversation with one to four things changed: parts changed inside, dropped, doubled, exchanged, or flooded. */
export function mutateScript(random: Random, script: readonly Part[]): Part[] {
  const parts = [...script];
  // Mostly one: what follows a message that cannot be is not looked at.
  for (let times = 1 + below(random, pick(random, [1, 1, 4])); times > 0 && parts.length > 0; times -= 1) {
    const at = below(random, parts.length);
    const other = below(random, parts.length);
    const part = parts[at]!;
    const roll = random();
    if (roll < 0.6) parts[at] = mutatePart(random, part);
    else if (roll < 0.7) parts.splice(at, 1);
    else if (roll < 0.8) parts.splice(other, 0, part);
    else if (roll < 0.97) [parts[at], parts[other]] = [parts[other]!, part];
    else parts.splice(at, 0, ...Array.from({ length: below(random, 400) }, () => part));
  }
  return parts;
}

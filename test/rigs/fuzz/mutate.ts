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
      return Array.from({ length: below(random, 2_000) }, () => pick(random, NUMBERS));
  }
}

/** The value with one thing in it changed: a field dropped, doubled under another name, or put to something strange. */
export function mutateJson(random: Random, value: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0 || random() < 0.2) return strange(random);
    const copy: unknown[] = [...(value as unknown[])];
    const at = below(random, copy.length);
    if (random() < 0.2) copy.splice(at, 1);
    else if (random() < 0.2) copy.push(copy[at]);
    else copy[at] = mutateJson(random, copy[at]);
    return copy;
  }
  if (typeof value === 'object' && value !== null) {
    const entries: [string, unknown][] = Object.entries(value);
    if (entries.length === 0 || random() < 0.03) return strange(random);
    const at = below(random, entries.length);
    const [name, old] = entries[at]!;
    if (random() < 0.1) entries.splice(at, 1);
    else if (random() < 0.05) entries.push([pick(random, TEXTS), old]);
    else entries[at] = [name, mutateJson(random, old)];
    return Object.fromEntries(entries);
  }
  if (typeof value === 'number' && random() < 0.6) {
    // Near the truth is where bookkeeping breaks.
    return value + pick(random, [-1, 1, -2, 2, 10, -10, 65_536, -65_536, 4_194_304]);
  }
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
  for (let times = 1 + below(random, 4); times > 0 && parts.length > 0; times -= 1) {
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

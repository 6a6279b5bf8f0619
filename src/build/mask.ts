import type { Secret } from '../base/secret.ts';

/** What stands in a log in place of a secret. */
const MASK = '***';

/** A value shorter than this is not masked: it would shred every log, and three characters keep nothing secret. UTF-16 units. */
const SHORTEST_MASKED = 4;

/** A line of a multi-line secret is masked alone from this length on: shorter ones (`}`, `EOF`, `key:`) are words of any log. */
const SHORTEST_MASKED_LINE = 8;

/** Removes secrets from a stream of bytes. One masker per channel, as two streams that are read in turn have no common order. */
export interface Masker {
  /**
   * The bytes that are now certain. Held back is only what may be the beginning of a secret, never more than the longest secret's
   * length. The result may share memory with `bytes`. The same bytes give the same output however they are cut into pieces.
   */
  push(bytes: Uint8Array): Uint8Array;
  /** What was held back, at the end of the stream. */
  flush(): Uint8Array;
}

/** What a build's secrets look like in its output; made once per build. */
export interface Mask {
  stream(): Masker;
  /** For a whole text: a header, a state string. */
  text(text: string): string;
  /** Names of secrets that are too short to be masked, for a word of warning. */
  readonly tooShort: readonly string[];
}

/**
 * Masks every value and the forms in which values get into output: with JSON's escapes, percent-encoded, in Base64 (also inside a
 * longer text), line by line where there are several, and the password of a URL. Bytes that several matches cover together become one `***`.
 */
export function createMask(secrets: ReadonlyMap<string, Secret>): Mask {
  const forms = new Set<string>();
  const tooShort: string[] = [];
  for (const [name, secret] of secrets) {
    const value = secret.reveal();
    if (value.trim().length < SHORTEST_MASKED) tooShort.push(name);
    else for (const form of formsOf(value)) forms.add(form);
  }
  const needles = [...forms].map((form) => Buffer.from(form)).sort((a, b) => b.length - a.length);
  const stream = () => (needles.length === 0 ? passThrough : createMasker(needles));
  return {
    stream,
    text(text) {
      const masker = stream();
      return Buffer.concat([masker.push(Buffer.from(text)), masker.flush()]).toString();
    },
    tooShort,
  };
}

const NOTHING = new Uint8Array(0);
const passThrough: Masker = { push: (bytes) => bytes, flush: () => NOTHING };

/** Every text that gives `value` away. */
function formsOf(value: string): string[] {
  const whole = value.trim();
  const lines = whole
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= SHORTEST_MASKED_LINE);
  const plain = new Set([whole, ...lines, ...lines.flatMap(passwordOf), ...passwordOf(whole)]);
  return [...plain].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    percentEncoded(text),
    percentEncoded(text).replaceAll('%20', '+'),
    ...base64Forms(text),
  ]);
}

function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Password and user of a URL such as a line of git's credential store, encoded and decoded. */
function passwordOf(text: string): string[] {
  const url = URL.parse(text);
  if (url === null || url.password === '') return [];
  let decoded = url.password;
  try {
    decoded = decodeURIComponent(url.password);
  } catch {
    // A lone percent sign: the password is what stands there.
  }
  return [url.password, decoded].filter((password) => password.length >= SHORTEST_MASKED);
}

/** Bytes whose Base64 is shorter than this hide too little: their characters stand in any log. */
const SHORTEST_BASE64 = 6;

/**
 * Base64 of a text as it stands alone or inside a longer one: its place in the groups of three bytes decides the characters, those at the
 * edges depend on the neighbours and are left out.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text);
  const forms = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const certain = Math.floor(((before + bytes.length) * 4) / 3);
    return encoded.slice(Math.ceil((before * 4) / 3), certain);
  });
  return forms
    .filter((form) => form.length >= SHORTEST_BASE64)
    .flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

function createMasker(needles: readonly Buffer[]): Masker {
  const longest = needles[0]?.length ?? 0;
  const mask = Buffer.from(MASK);
  const begins = new Uint8Array(256);
  for (const needle of needles) begins[needle[0] ?? 0] = 1;
  let held: Buffer = Buffer.alloc(0);
  /** So many bytes at the start of `held` belong to a secret whose mask is written already. */
  let covered = 0;

  /** The first place from which the rest of `bytes` may be the beginning of a secret. */
  const undecidedFrom = (bytes: Buffer): number => {
    for (let start = Math.max(0, bytes.length - longest + 1); start < bytes.length; start += 1) {
      if (begins[bytes[start] ?? 0] !== 1) continue;
      const length = bytes.length - start;
      const begun = needles.some(
        (needle) => needle.length > length && needle.compare(bytes, start, bytes.length, 0, length) === 0,
      );
      if (begun) return start;
    }
    return bytes.length;
  };

  const decide = (bytes: Buffer, until: number): Uint8Array => {
    const out: Uint8Array[] = [];
    const next = needles.map((needle) => bytes.indexOf(needle));
    let emitted = covered;
    for (;;) {
      let start = until;
      for (const at of next) if (at !== -1 && at < start) start = at;
      if (start === until) break;
      if (start >= emitted) {
        if (start > emitted) out.push(bytes.subarray(emitted, start));
        out.push(mask);
      }
      for (const [index, needle] of needles.entries()) {
        if (next[index] !== start) continue;
        emitted = Math.max(emitted, start + needle.length);
        next[index] = bytes.indexOf(needle, start + 1);
      }
    }
    if (until > emitted) out.push(bytes.subarray(emitted, until));
    covered = Math.max(0, emitted - until);
    held = Buffer.from(bytes.subarray(until));
    return out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out);
  };

  return {
    push(bytes) {
      const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const all = held.length === 0 ? view : Buffer.concat([held, view]);
      return decide(all, undecidedFrom(all));
    },
    flush() {
      return decide(held, held.length);
    },
  };
}

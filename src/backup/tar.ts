/**
 * Archives in the `ustar` interchange format of POSIX.1, with pax records for what does not fit into it: paths over 100 bytes, files
 * from 8 GiB on. Only files and symbolic links; whoever unpacks makes the folders.
 */
const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** Eleven octal digits. */
const SIZE_LIMIT = 8 ** 11;
const TYPE = { file: '0', link: '2', pax: 'x' } as const;

/** One entry of an archive. */
export interface Entry {
  path: string;
  kind: 'file' | 'link';
  /** Bytes of the content; 0 for a link. */
  size: number;
  /** Permission bits. */
  mode: number;
  /** Where a link leads. */
  target?: string;
}

/** What stands before an entry's content. `mtime`: epoch seconds. */
export function entryHead(entry: Entry, mtime: number): Buffer {
  const { path, kind, size, mode, target = '' } = entry;
  const pax: Record<string, string> = {};
  if (Buffer.byteLength(path) > NAME_BYTES) pax['path'] = path;
  if (Buffer.byteLength(target) > NAME_BYTES) pax['linkpath'] = target;
  if (size >= SIZE_LIMIT) pax['size'] = String(size);
  const own = header({ path, type: TYPE[kind], size: size >= SIZE_LIMIT ? 0 : size, mode, target, mtime });
  if (Object.keys(pax).length === 0) return own;
  const records = Buffer.from(
    Object.entries(pax)
      .map(([key, value]) => paxRecord(key, value))
      .join(''),
  );
  const head = header({ path: 'pax', type: TYPE.pax, size: records.length, mode: 0o600, target: '', mtime });
  return Buffer.concat([head, records, padding(records.length), own]);
}

/** Zeros behind a content of so many bytes. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** The end of an archive. */
export const ARCHIVE_END = Buffer.alloc(2 * BLOCK_BYTES);

function header(fields: {
  path: string;
  type: string;
  size: number;
  mode: number;
  target: string;
  mtime: number;
}): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  Buffer.from(fields.path).copy(bytes, 0, 0, NAME_BYTES);
  octal(fields.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(fields.size, 124, 12);
  octal(Math.trunc(fields.mtime), 136, 12);
  bytes.fill(' ', 148, 156);
  bytes.write(fields.type, 156, 'latin1');
  Buffer.from(fields.target).copy(bytes, 157, 0, NAME_BYTES);
  bytes.write('ustar\x0000', 257, 'latin1');
  bytes.write(`${sumOf(bytes).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** Sum of a header's bytes, its own field counted as blanks. */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) sum += at >= 148 && at < 156 ? 32 : bytes[at]!;
  return sum;
}

/** `LENGTH key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length += 1;
  return `${length} ${key}=${value}\n`;
}

/** An archive that is not one, or that ends too early. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/** The largest set of pax records that is read: a path and two numbers are far smaller. */
const PAX_LIMIT_BYTES = 64 * 1024;

/**
 * Reads an archive from a stream of bytes. An entry's content must be read to its end (or is left out) before the next entry is asked for.
 * Throws ArchiveError where the bytes are no archive or end before the archive does.
 */
export async function* readEntries(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ entry: Entry; content: AsyncGenerator<Uint8Array, void, undefined> }, void, undefined> {
  const bytes = createPuller(source);
  let pax = new Map<string, string>();
  for (;;) {
    const head = await bytes.exactly(BLOCK_BYTES);
    if (head.every((byte) => byte === 0)) return;
    const { type, entry } = parseHead(head);
    if (type === TYPE.pax) {
      if (entry.size > PAX_LIMIT_BYTES) throw new ArchiveError('an entry has a head of more than 64 KiB');
      pax = parsePax(await bytes.exactly(entry.size));
      await bytes.exactly(padding(entry.size).length);
      continue;
    }
    const whole = withPax(entry, pax);
    pax = new Map();
    let left = whole.size;
    const content = async function* () {
      while (left > 0) {
        const piece = await bytes.some(left);
        left -= piece.length;
        yield piece;
      }
    };
    yield { entry: whole, content: content() };
    while (left > 0) left -= (await bytes.some(left)).length;
    await bytes.exactly(padding(whole.size).length);
  }
}

function parseHead(head: Buffer): { type: string; entry: Entry } {
  const text = (at: number, length: number) => {
    const end = head.indexOf(0, at);
    return head.toString('utf8', at, end === -1 || end > at + length ? at + length : end);
  };
  const octal = (at: number, length: number) => Number.parseInt(text(at, length).trim() || '0', 8);
  if (text(257, 5) !== 'ustar' || octal(148, 8) !== sumOf(head))
    throw new ArchiveError('the head of an entry does not hold');
  const type = text(156, 1);
  if (!Object.values(TYPE).includes(type as never)) throw new ArchiveError(`an entry has the type "${type}"`);
  const link = type === TYPE.link;
  const entry: Entry = {
    path: text(0, NAME_BYTES),
    kind: link ? 'link' : 'file',
    size: link ? 0 : octal(124, 12),
    mode: octal(100, 8) & 0o777,
    ...(link ? { target: text(157, NAME_BYTES) } : {}),
  };
  return { type, entry };
}

function parsePax(bytes: Buffer): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const length = blank === -1 ? Number.NaN : Number(bytes.toString('latin1', at, blank));
    if (!Number.isInteger(length) || length <= blank - at || at + length > bytes.length)
      throw new ArchiveError('the pax records of an entry do not hold');
    const record = bytes.toString('utf8', blank + 1, at + length - 1);
    found.set(record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1));
    at += length;
  }
  return found;
}

function withPax(entry: Entry, pax: ReadonlyMap<string, string>): Entry {
  const size = Number(pax.get('size') ?? entry.size);
  if (!Number.isSafeInteger(size) || size < 0) throw new ArchiveError('an entry has no size');
  const target = pax.get('linkpath') ?? entry.target;
  return { ...entry, path: pax.get('path') ?? entry.path, size, ...(target === undefined ? {} : { target }) };
}

/** Takes bytes off a stream in the portions that are wanted. */
function createPuller(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array();
  const fill = async () => {
    while (held.length === 0) {
      const { done, value } = await iterator.next();
      if (done === true) throw new ArchiveError('it ends too early');
      held = value;
    }
  };
  const some = async (most: number): Promise<Uint8Array> => {
    await fill();
    const piece = held.subarray(0, most);
    held = held.subarray(piece.length);
    return piece;
  };
  return {
    some,
    async exactly(size: number): Promise<Buffer> {
      const parts: Uint8Array[] = [];
      for (let left = size; left > 0;) {
        const part = await some(left);
        left -= part.length;
        parts.push(part);
      }
      return Buffer.concat(parts);
    },
  };
}

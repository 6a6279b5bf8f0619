import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BbxError } from '../../../src/base/error.ts';
import type { Channel } from '../../../src/build/command-port.ts';
import { openLogFiles } from '../../../src/store/log-files.ts';
import type { LogFiles } from '../../../src/store/log-files.ts';
import type { LogPiece } from '../../../src/store/log-files/piece.ts';

let dir: string;
let files: LogFiles;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bbx-logs-'));
  files = await openLogFiles(dir);
});
afterEach(async () => {
  await files.close();
  await rm(dir, { recursive: true, force: true });
});

const running = (logid: number) => join(dir, '0', `${logid}.log`);
const finished = (logid: number) => join(dir, '0', `${logid}.zst`);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function reopen(): Promise<void> {
  await files.close();
  files = await openLogFiles(dir);
}

async function collect(pieces: AsyncIterable<LogPiece>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) {
    expect(piece.bytes.length).toBeGreaterThan(0);
    expect(piece.bytes.length).toBeLessThanOrEqual(65_536);
    all.push(piece.bytes);
  }
  return Buffer.concat(all);
}

/** Appends text at the log's end. */
async function say(
  logid: number,
  bytes: Uint8Array | string,
  channel: Channel = 'stdout',
  at = 1,
): Promise<void> {
  const offset = await files.size(logid);
  await files.append(logid, { offset, channel, at, bytes: Buffer.from(bytes) });
}

/** The next call of this kind fails, as on a disk that is broken, or that has promised more room than it has. */
async function failOnce(method: 'sync' | 'datasync'): Promise<Disposable> {
  const handle = await open(dir, 'r');
  const spy = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, method);
  await handle.close();
  spy.mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }));
  return { [Symbol.dispose]: () => spy.mockRestore() };
}

/** So many bytes from the start are zero, as where they never reached the disk. */
async function wipe(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(bytes), 0, bytes, 0);
  await handle.close();
}

async function flip(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, position);
  await handle.write(Buffer.from([(byte[0] as number) ^ 0x55]), 0, 1, position);
  await handle.close();
}

describe('appending', () => {
  it('gives back exactly what was written, with channels and times', async () => {
    await say(1, 'one\n', 'stdout', 10.25);
    await say(1, Buffer.from([0xff, 0x00, 0xe2, 0x82]), 'stderr', 11);
    await say(1, 'done\n', 'header', 12);
    const pieces = await Array.fromAsync(files.read(1));
    expect(pieces.map(({ offset, channel, at, bytes }) => [offset, channel, at, [...bytes]])).toEqual([
      [0, 'stdout', 10.25, [...Buffer.from('one\n')]],
      [4, 'stderr', 11, [0xff, 0x00, 0xe2, 0x82]],
      [8, 'header', 12, [...Buffer.from('done\n')]],
    ]);
    expect((await collect(files.read(1, { channels: ['stdout', 'stderr'] }))).length).toBe(8);
    expect(await files.index(1)).toMatchObject({ bytes: 13, lines: 2, complete: false, damaged: [] });
  });

  it('drops what it has already and refuses a hole', async () => {
    await say(1, 'abcdef');
    const append = (offset: number, text: string) =>
      files.append(1, { offset, channel: 'stdout', at: 1, bytes: Buffer.from(text) });
    expect(await append(0, 'abc')).toBe(6);
    expect(await append(4, 'efgh')).toBe(8);
    expect(await append(8, '')).toBe(8);
    await expect(append(9, 'x')).rejects.toMatchObject({
      code: 'BBX-STO-LOG-HOLE',
      data: { offset: 9, size: 8 },
    });
    expect((await collect(files.read(1))).toString()).toBe('abcdefgh');
  });

  it('keeps the order of pieces that are handed over without waiting', async () => {
    const parts = Array.from({ length: 500 }, (_, index) => Buffer.from(`line ${index}\n`));
    let offset = 0;
    const all = parts.map((bytes) => {
      const done = files.append(1, { offset, channel: 'stdout', at: 1, bytes });
      offset += bytes.length;
      return done;
    });
    await Promise.all(all);
    expect(await collect(files.read(1))).toEqual(Buffer.concat(parts));
    expect((await files.index(1)).lines).toBe(500);
  });

  it('keeps pieces far over a record’s size, and times that are no numbers, in bounds', async () => {
    const bytes = randomBytes(3_000_000);
    await files.append(1, { offset: 0, channel: 'stderr', at: Number.NaN, bytes });
    await say(1, 'x', 'stdout', 1e300);
    expect((await collect(files.read(1))).equals(Buffer.concat([bytes, Buffer.from('x')]))).toBe(true);
    await files.finish(1);
    const last = (await Array.fromAsync(files.read(1))).at(-1);
    expect(last).toMatchObject({ channel: 'stdout', at: 4_000_000_000 });
  });

  it('gives up what a failed flush may have lost, and takes it again', async () => {
    await say(1, 'durable');
    await files.sync([1]);
    await say(1, 'unsure');
    {
      using _ = await failOnce('datasync');
      await expect(files.sync([1])).rejects.toMatchObject({ code: 'BBX-STO-IO', retryable: true });
    }
    expect(await files.size(1)).toBe(7);
    await expect(
      files.append(1, { offset: 13, channel: 'stdout', at: 1, bytes: Buffer.from('!') }),
    ).rejects.toMatchObject({
      code: 'BBX-STO-LOG-HOLE',
    });
    await files.append(1, { offset: 7, channel: 'stdout', at: 1, bytes: Buffer.from('unsure') });
    expect((await files.sync([1])).get(1)).toBe(13);
    expect((await collect(files.read(1))).toString()).toBe('durableunsure');
  });

  it('that a flush has failed meanwhile is no damage for who reads: the reader ends with what is there', async () => {
    const text = randomBytes(2 * 1024 * 1024);
    const put = async (from: number, to: number) => {
      for (let at = from; at < to; at += 65_536) await say(1, text.subarray(at, at + 65_536));
    };
    await put(0, 262_144);
    await files.sync([1]);
    await put(262_144, text.length);
    const slow = files.read(1)[Symbol.asyncIterator]();
    const late = files.read(1, { from: 262_144 })[Symbol.asyncIterator]();
    const got = [await slow.next()].map(({ value }) => value as LogPiece);
    await late.next();
    {
      using _ = await failOnce('datasync');
      await expect(files.sync([1])).rejects.toMatchObject({ code: 'BBX-STO-IO' });
    }
    const rest = async (reader: typeof slow) => {
      for (let next = await reader.next(); next.done !== true; next = await reader.next())
        got.push(next.value);
    };
    await rest(slow);
    await rest(late);
    for (const { offset, bytes, damaged } of got) {
      expect(damaged).toBeUndefined();
      expect(text.subarray(offset, offset + bytes.length).equals(bytes)).toBe(true);
    }
    expect(got.some(({ offset, bytes }) => offset + bytes.length === 262_144)).toBe(true);
    expect((await files.index(1)).damaged).toEqual([]);
    await put(262_144, text.length);
    await expect(files.seal(1, { sha256: '0' })).rejects.toMatchObject({ code: 'BBX-STO-LOG-HASH' });
    const end = { bytes: text.length, sha256: sha256(text) };
    expect(await files.seal(1, end)).toMatchObject({ ...end, damaged: [] });
  });

  it('takes no name for durable whose folder could not be flushed', async () => {
    await say(1, 'text');
    for (let time = 0; time < 2; time += 1) {
      using _ = await failOnce('sync');
      await expect(files.sync([1])).rejects.toMatchObject({ code: 'BBX-STO-IO' });
    }
    expect((await files.sync([1])).get(1)).toBe(4);
  });

  it('is not sealed beside a flush that fails, whose failure the system tells but once', async () => {
    await say(1, 'text');
    using _ = await failOnce('datasync');
    const [synced, sealed] = await Promise.allSettled([files.sync([1]), files.seal(1, { bytes: 4 })]);
    expect([synced.status, sealed.status]).toEqual(['rejected', 'rejected']);
    expect(await files.size(1)).toBe(0);
  });

  it('is not sealed by a second flush when the first one failed: its bytes have to come again', async () => {
    await say(1, 'text');
    {
      using _ = await failOnce('datasync');
      await expect(files.seal(1, { bytes: 4 })).rejects.toMatchObject({ code: 'BBX-STO-IO' });
    }
    await expect(files.seal(1, { bytes: 4 })).rejects.toMatchObject({ code: 'BBX-STO-LOG-SIZE' });
    await files.append(1, { offset: 0, channel: 'stdout', at: 1, bytes: Buffer.from('text') });
    expect(await files.seal(1, { bytes: 4 })).toMatchObject({ bytes: 4 });
  });

  it('says which sizes survive a power failure', async () => {
    await say(1, 'abc');
    await say(2, 'defg');
    expect([...(await files.sync([1, 2, 3, 1]))].sort()).toEqual([
      [1, 3],
      [2, 4],
      [3, 0],
    ]);
  });

  it('goes on behind bytes that are lost for good', async () => {
    await say(1, 'abc');
    await files.skip(1, 10);
    await files.skip(1, 5);
    await say(1, 'xyz');
    expect(await files.size(1)).toBe(13);
    const text = 'abc\0\0\0\0\0\0\0xyz';
    expect((await collect(files.read(1))).toString()).toBe(text);
    await reopen();
    expect((await collect(files.read(1))).toString()).toBe(text);
    expect(await files.finish(1, { bytes: 13, sha256: 'of the whole' })).toMatchObject({
      damaged: [{ from: 3, to: 10 }],
      sha256: sha256(Buffer.from(text)),
    });
    await reopen();
    expect((await files.index(1)).damaged).toEqual([{ from: 3, to: 10 }]);
    expect((await collect(files.read(1))).toString()).toBe(text);
  });

  it('has a thousand logs open at once with few files', async () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => index + 1);
    for (const round of ['a', 'b']) await Promise.all(ids.map((logid) => say(logid, `${round}${logid}\n`)));
    const descriptors = await readdir('/proc/self/fd');
    expect(descriptors.length).toBeLessThan(400);
    expect((await files.sync(ids)).get(1_000)).toBe(12);
    for (const logid of [1, 500, 1_000]) {
      expect((await collect(files.read(logid))).toString()).toBe(`a${logid}\nb${logid}\n`);
    }
  });
});

describe('finishing', () => {
  it('verifies, compresses, and gives the same answer again', async () => {
    const bytes = Buffer.from('all work and no play\n'.repeat(200_000));
    await say(1, bytes);
    const raw = (await stat(running(1))).size;
    const answer = { bytes: bytes.length, sha256: sha256(bytes), lines: 200_000, damaged: [] };
    expect(await files.finish(1, { bytes: bytes.length, sha256: sha256(bytes) })).toEqual(answer);
    expect(await files.finish(1, { bytes: bytes.length, sha256: sha256(bytes) })).toEqual(answer);
    expect((await stat(finished(1))).size).toBeLessThan(raw / 20);
    await expect(stat(running(1))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await collect(files.read(1))).toEqual(bytes);
    await reopen();
    expect(await files.finish(1)).toEqual(answer);
    expect(await files.size(1)).toBe(bytes.length);
    expect(await collect(files.read(1, { from: 2_097_000, to: 2_097_400 }))).toEqual(
      bytes.subarray(2_097_000, 2_097_400),
    );
    expect((await files.index(1)).points[1]).toMatchObject({ offset: 1_048_576, lines: 49_932 });
  });

  it('refuses another size or hash and leaves the log as it was', async () => {
    await say(1, 'abc');
    await expect(files.finish(1, { bytes: 4 })).rejects.toMatchObject({ code: 'BBX-STO-LOG-SIZE' });
    await expect(files.finish(1, { sha256: sha256(Buffer.from('abd')) })).rejects.toMatchObject({
      code: 'BBX-STO-LOG-HASH',
    });
    expect(await readdir(join(dir, '0'))).toEqual(['1.log']);
    await say(1, 'd');
    expect((await files.finish(1, { bytes: 4, sha256: sha256(Buffer.from('abcd')) })).bytes).toBe(4);
    await expect(files.finish(1, { sha256: 'other' })).rejects.toMatchObject({ code: 'BBX-STO-LOG-HASH' });
    await expect(say(1, 'e')).rejects.toMatchObject({ code: 'BBX-STO-LOG-COMPLETE' });
    // A repeated frame is no trouble: its answer got lost.
    expect(await files.append(1, { offset: 0, channel: 'stdout', at: 1, bytes: Buffer.from('abc') })).toBe(4);
  });

  it('is done in two steps where somebody waits: sealed it is complete and durable, compressed it is later', async () => {
    const bytes = Buffer.from('all work and no play\n'.repeat(200_000));
    await say(1, bytes);
    const answer = { bytes: bytes.length, sha256: sha256(bytes), lines: 200_000, damaged: [] };
    await expect(files.seal(1, { bytes: 4 })).rejects.toMatchObject({ code: 'BBX-STO-LOG-SIZE' });
    await expect(files.seal(1, { sha256: 'other' })).rejects.toMatchObject({ code: 'BBX-STO-LOG-HASH' });
    expect(await files.seal(1, { bytes: bytes.length, sha256: sha256(bytes) })).toEqual(answer);
    expect(await files.seal(1)).toEqual(answer);
    expect(await files.index(1)).toMatchObject({ complete: true });
    expect(await readdir(join(dir, '0'))).toEqual(['1.log']);
    await expect(say(1, 'e')).rejects.toMatchObject({ code: 'BBX-STO-LOG-COMPLETE' });
    expect(await files.append(1, { offset: 0, channel: 'stdout', at: 1, bytes: Buffer.from('all') })).toBe(
      bytes.length,
    );
    expect(await Array.fromAsync(files.uncompressed())).toEqual([1]);
    let blocks = 0;
    expect(await files.finish(1, {}, async () => void (blocks += 1))).toEqual(answer);
    expect(blocks).toBe(5);
    expect(await Array.fromAsync(files.uncompressed())).toEqual([]);
    expect(await readdir(join(dir, '0'))).toEqual(['1.zst']);
    expect(await files.seal(1, { sha256: sha256(bytes) })).toEqual(answer);
  });

  it.each([
    ['that was found in its file', reopen],
    [
      'in which bytes came twice',
      () => files.append(1, { offset: 1, channel: 'stdout', at: 1, bytes: Buffer.from('bc') }),
    ],
  ])('takes the hash of all of a log %s', async (_, happening) => {
    await say(1, 'abc');
    await files.sync([1]);
    await happening();
    await say(1, 'def');
    const whole = sha256(Buffer.from('abcdef'));
    await expect(files.seal(1, { sha256: sha256(Buffer.from('def')) })).rejects.toMatchObject({
      code: 'BBX-STO-LOG-HASH',
    });
    expect((await files.seal(1, { bytes: 6, sha256: whole })).sha256).toBe(whole);
    await reopen();
    expect((await files.finish(1, { bytes: 6, sha256: whole })).sha256).toBe(whole);
  });

  it('makes a file that the zstd of this system and of Node unpack to the exact bytes', async () => {
    const bytes = randomBytes(2_500_000);
    await say(1, bytes.subarray(0, 1_200_000), 'stdout');
    await say(1, bytes.subarray(1_200_000), 'stderr');
    await files.finish(1);
    const packed = await readFile(finished(1));
    const frames: Buffer[] = [];
    let position = 0;
    // Node's one-shot call stops after a frame, so the frames are told apart by the index's own walk.
    for (const { offset } of (await files.index(1)).points) {
      const frame = packed.subarray(position);
      frames.push(zstdDecompressSync(frame, { maxOutputLength: 2 ** 21 }).subarray(0, 1_048_576));
      position = packed.indexOf(Buffer.from([0x5b, 0x2a, 0x4d, 0x18]), position);
      position += 8 + packed.readUInt32LE(position + 4);
      expect(offset % 1_048_576).toBe(0);
    }
    expect(Buffer.concat(frames).equals(bytes)).toBe(true);
  });

  it('of a log without a byte needs no file', async () => {
    expect(await files.finish(7, { bytes: 0 })).toMatchObject({ bytes: 0, lines: 0 });
    expect(await collect(files.read(7))).toHaveLength(0);
    expect(await readdir(dir)).toEqual([]);
  });

  it('does not disturb who is reading', async () => {
    const bytes = randomBytes(1_500_000);
    await say(1, bytes);
    const all: Uint8Array[] = [];
    for await (const piece of files.read(1)) {
      all.push(piece.bytes);
      if (all.length === 3) await files.finish(1, { sha256: sha256(bytes) });
    }
    expect(Buffer.concat(all).equals(bytes)).toBe(true);
  });

  it('starts again after a crash in the middle, and cleans up after one at the end', async () => {
    await say(1, 'abc');
    await say(2, 'def');
    await files.finish(2);
    const kept = await readFile(running(1));
    await writeFile(join(dir, '0', '1.zst.new'), 'half a fi');
    await writeFile(running(2), kept);
    await reopen();
    expect((await collect(files.read(2))).toString()).toBe('def');
    expect((await files.finish(1, { bytes: 3 })).sha256).toBe(sha256(Buffer.from('abc')));
    expect((await readdir(join(dir, '0'))).sort()).toEqual(['1.zst', '2.zst']);
  });
});

describe('any sequence of pieces', () => {
  it('reads back the same in every range, running, opened again, and finished', async () => {
    const piece = fc.record({
      channel: fc.constantFrom<Channel>('stdout', 'stderr', 'header'),
      at: fc.double({ min: 0, max: 2e9, noNaN: true }),
      bytes: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(200_000).map((length) => new Uint8Array(length + 1).fill(length % 251)),
      ),
    });
    let logid = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(1_000_000)), { minLength: 3, maxLength: 3 }),
        async (pieces, ranges) => {
          logid += 1;
          for (const { channel, at, bytes } of pieces) await say(logid, bytes, channel, at);
          const whole = Buffer.concat(pieces.map(({ bytes }) => bytes));
          const only = Buffer.concat(
            pieces.filter(({ channel }) => channel === 'stderr').map(({ bytes }) => bytes),
          );
          const verify = async () => {
            expect((await collect(files.read(logid))).equals(whole)).toBe(true);
            expect((await collect(files.read(logid, { channels: ['stderr'] }))).equals(only)).toBe(true);
            for (const [from, length] of ranges) {
              const part = await collect(files.read(logid, { from, to: from + length }));
              expect(part.equals(whole.subarray(from, from + length))).toBe(true);
            }
          };
          await verify();
          await reopen();
          await verify();
          await files.finish(logid, { bytes: whole.length, sha256: sha256(whole) });
          await verify();
        },
      ),
      { numRuns: 15 },
    );
  });

  it('handed over at once, of which some come twice, leave a hole or find no room, is what was sent up to where it got', async () => {
    const text = Buffer.from(Array.from({ length: 3_000 }, (_, at) => (at * 7919) % 251));
    const probe = await open(dir, 'r');
    const proto = Object.getPrototypeOf(probe) as typeof probe;
    await probe.close();
    const write = Reflect.get(proto, 'writev') as (...args: unknown[]) => Promise<unknown>;
    let full: boolean[] = [];
    using spy = vi.spyOn(proto, 'writev');
    spy.mockImplementation(function (this: typeof probe, ...args) {
      if (full.shift() === true) return Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
      return write.apply(this, args) as ReturnType<typeof probe.writev>;
    });
    let logid = 0;
    const piece = fc.record({ offset: fc.nat(900), length: fc.integer({ min: 1, max: 900 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(piece, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.boolean(), { maxLength: 4 }),
        async (rounds, refusals) => {
          logid += 1;
          full = [...refusals];
          for (const pieces of rounds) {
            const before = await files.size(logid);
            // Around where the log ends: behind it there would be holes alone.
            const results = await Promise.allSettled(
              pieces.map(({ offset, length }) => {
                const from = Math.max(0, before - 300) + offset;
                const bytes = text.subarray(from, from + length);
                return files.append(logid, { offset: from, channel: 'stdout', at: 1, bytes });
              }),
            );
            const size = await files.size(logid);
            expect(size).toBeGreaterThanOrEqual(before);
            for (const result of results) {
              if (result.status === 'fulfilled') expect(result.value).toBeLessThanOrEqual(size);
              else expect(['BBX-STO-LOG-HOLE', 'BBX-STO-FULL']).toContain((result.reason as BbxError).code);
            }
          }
          full = [];
          const size = await files.size(logid);
          const got = text.subarray(0, size);
          expect((await collect(files.read(logid))).equals(got)).toBe(true);
          expect(await files.seal(logid, { bytes: size, sha256: sha256(got) })).toMatchObject({
            bytes: size,
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('damage', () => {
  it('of a running log costs the record that held it, also after the next start', async () => {
    for (let index = 0; index < 10; index += 1) await say(1, `piece ${index}\n`);
    await files.sync([1]);
    await say(1, 'last\n');
    await flip(running(1), 16 + 3 * (48 + 8) + 48 + 2);
    const expected = 'piece 0\npiece 1\npiece 2\n\0\0\0\0\0\0\0\0piece 4\n';
    const look = async () => (await collect(files.read(1, { to: 40 }))).toString();
    expect(await look()).toBe(expected);
    expect((await files.index(1)).damaged).toEqual([{ from: 24, to: 32 }]);
    await reopen();
    expect(await look()).toBe(expected);
    expect(await files.size(1)).toBe(85);
    expect(await files.finish(1, { bytes: 85, sha256: 'what the sender had' })).toMatchObject({
      damaged: [{ from: 24, to: 32 }],
    });
    expect(await look()).toBe(expected);
  });

  it.each([
    ['the header of a record', 16 + 2 * (48 + 8) + 10, '\0'.repeat(8)],
    ['the salt of a record', 16 + 2 * (48 + 8), '\0'.repeat(8)],
    ['the file’s header', 3, 'piece 2\n'],
  ])('of %s costs no more', async (_, position, third) => {
    for (let index = 0; index < 5; index += 1) await say(1, `piece ${index}\n`);
    await files.sync([1]);
    await say(1, 'last\n');
    await flip(running(1), position);
    await reopen();
    expect((await collect(files.read(1))).toString()).toBe(
      `piece 0\npiece 1\n${third}piece 3\npiece 4\nlast\n`,
    );
  });

  it('of a finished log costs the block that held it', async () => {
    const bytes = randomBytes(3_500_000);
    await say(1, bytes);
    await files.finish(1);
    await flip(finished(1), 1_500_000);
    await reopen();
    const read = await collect(files.read(1));
    expect(read.length).toBe(bytes.length);
    expect(read.subarray(0, 1_048_576).equals(bytes.subarray(0, 1_048_576))).toBe(true);
    expect(read.subarray(1_048_576, 2_097_152).equals(Buffer.alloc(1_048_576))).toBe(true);
    expect(read.subarray(2_097_152).equals(bytes.subarray(2_097_152))).toBe(true);
    const marked = (await Array.fromAsync(files.read(1))).filter((piece) => piece.damaged === true);
    expect(marked.reduce((sum, piece) => sum + piece.bytes.length, 0)).toBe(1_048_576);
  });

  it('of a finished log’s table costs nothing', async () => {
    const bytes = randomBytes(2_500_000);
    await say(1, bytes);
    await files.finish(1);
    const { size } = await stat(finished(1));
    for (const position of [size - 1, size - 10, size - 60]) {
      await flip(finished(1), position);
      await reopen();
      expect((await collect(files.read(1))).equals(bytes)).toBe(true);
      expect(await files.size(1)).toBe(bytes.length);
    }
  });

  it('anywhere in what was durable never crashes, never shortens it, and never gives a wrong byte', async () => {
    const parts = Array.from({ length: 40 }, (_, index) =>
      Buffer.from(`${index}:`.repeat(1 + (index % 7)) + '\n'),
    );
    for (const part of parts) await say(1, part);
    await files.sync([1]);
    const durable = (await stat(running(1))).size;
    await say(1, 'end\n');
    const whole = Buffer.concat([...parts, Buffer.from('end\n')]);
    await files.close();
    const clean = await readFile(running(1));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(durable - 1), { minLength: 1, maxLength: 5 }),
        async (positions) => {
          await writeFile(running(1), clean);
          for (const position of positions) await flip(running(1), position);
          await using opened = await openLogFiles(dir);
          const read = await collect(opened.read(1));
          expect(read.length).toBe(whole.length);
          const wrong = read.findIndex((byte, index) => byte !== 0 && byte !== whole[index]);
          expect(wrong).toBe(-1);
          const lost = read.filter((byte) => byte === 0).length;
          // Each flip costs the piece that it hit, of which the longest has 22 bytes.
          expect(lost).toBeLessThanOrEqual(positions.length * 22);
        },
      ),
      { numRuns: 150 },
    );
    files = await openLogFiles(dir);
  });

  it('of a tail that was never durable is cut off, so that the sender sends it again', async () => {
    await say(1, 'durable\n');
    await files.sync([1]);
    await say(1, 'half\n');
    const { size } = await stat(running(1));
    for (const cut of [size - 1, size - 5, size - 6, size - 40]) {
      await files.close();
      const handle = await open(running(1), 'r+');
      await handle.truncate(cut);
      await handle.close();
      files = await openLogFiles(dir);
      expect(await files.size(1)).toBe(8);
      await say(1, 'half\n');
      await files.sync([1]);
      expect((await collect(files.read(1))).toString()).toBe('durable\nhalf\n');
      await files.close();
      const again = await open(running(1), 'r+');
      await again.truncate(size);
      await again.close();
      files = await openLogFiles(dir);
    }
  });

  it.each([
    ['its beginning', 400_000],
    ['all of it', Infinity],
  ])(
    'of a file that was never durable, where a power failure left %s blank, leaves nothing behind',
    async (_, blank) => {
      await say(1, randomBytes(400_000));
      await say(1, randomBytes(200_000));
      await files.close();
      const { size } = await stat(running(1));
      await wipe(running(1), Math.min(blank, size));
      files = await openLogFiles(dir);
      expect(await files.size(1)).toBe(0);
      await say(1, 'again');
      await reopen();
      expect((await collect(files.read(1))).toString()).toBe('again');
      expect(await readdir(join(dir, '0'))).toEqual(['1.log']);
    },
  );

  it('of the whole beginning of what was durable costs that, and no byte behind it', async () => {
    const rest = randomBytes(200_000);
    await say(1, randomBytes(400_000));
    await files.sync([1]);
    await say(1, rest);
    await files.sync([1]);
    await files.close();
    await wipe(running(1), 400_000);
    files = await openLogFiles(dir);
    expect(await files.size(1)).toBe(600_000);
    expect((await collect(files.read(1))).subarray(400_000)).toEqual(rest);
    expect(await readdir(join(dir, '0'))).toEqual(['1.log']);
  });

  it('of a file in which nothing can be read sets it aside', async () => {
    await say(1, 'x'.repeat(1_000));
    await files.close();
    await writeFile(running(1), randomBytes(2_000));
    files = await openLogFiles(dir);
    expect(await files.size(1)).toBe(0);
    await say(1, 'new');
    expect((await collect(files.read(1))).toString()).toBe('new');
    expect((await readdir(join(dir, '0'))).sort()).toEqual(['1.log', '1.log.damaged']);
  });
});

describe('removing', () => {
  it('frees the disk, running or finished, and says how much', async () => {
    await say(1, randomBytes(100_000));
    await say(2, randomBytes(100_000));
    await files.finish(2);
    expect(await files.remove(1)).toBeGreaterThan(90_000);
    expect(await files.remove(2)).toBeGreaterThan(90_000);
    expect(await files.remove(3)).toBe(0);
    expect(await readdir(join(dir, '0'))).toEqual([]);
    expect(await files.size(1)).toBe(0);
  });

  it('lets those who are reading read on', async () => {
    const bytes = randomBytes(3_000_000);
    await say(1, bytes);
    await files.finish(1);
    const all: Uint8Array[] = [];
    for await (const piece of files.read(1)) {
      all.push(piece.bytes);
      if (all.length === 2) await files.remove(1);
    }
    expect(Buffer.concat(all).equals(bytes)).toBe(true);
  });

  it('behind our back ends a reader with an error, not with an end that looks whole', async () => {
    await say(1, 'x'.repeat(1_000));
    await files.finish(1);
    // So many others that the file is not kept open.
    for (let logid = 2; logid < 300; logid += 1) await say(logid, 'x');
    await rm(finished(1));
    await expect(collect(files.read(1))).rejects.toMatchObject({ code: 'BBX-STO-LOG-GONE', exit: 6 });
  });
});

it('logs of a hundred thousand builds do not share a folder', async () => {
  for (const logid of [1, 999, 1_000, 123_456]) await say(logid, 'x');
  expect((await readdir(dir)).sort()).toEqual(['0', '1', '123']);
  expect(execFileSync('ls', [join(dir, '123')], { encoding: 'utf8' })).toBe('123456.log\n');
});

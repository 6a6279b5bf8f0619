import { createHash } from 'node:crypto';
import { cp, mkdir, open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BbxError } from '../../../src/base/error.ts';
import { endOf } from '../../../src/runtime/master/log-ending.ts';
import { checkStore, type StoreFinding } from '../../../src/store/check.ts';
import { DUMPED } from '../../../src/store/dump.ts';
import { openLogFiles } from '../../../src/store/log-files.ts';
import { completeLog, ensureLog, setLogSizes } from '../../../src/store/logs.ts';
import { startStep } from '../../../src/store/steps.ts';
import { openStore } from '../../../src/store/store.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { farmRows } from './farm.ts';

/** A sound farm: some builds, a finished log of 3 MB, a sealed and a running one of 200 kB. */
let temp: Awaited<ReturnType<typeof tempDir>>;
let sound: string;
const texts = new Map<number, Buffer>();

beforeAll(async () => {
  temp = await tempDir();
  sound = join(temp.path, 'sound');
  await mkdir(sound);
  await using store = await openStore('sqlite:state.sqlite', { dir: sound });
  await using files = await openLogFiles(join(sound, 'logs'));
  const rows = farmRows(store);
  for (let turn = 0; turn < 40; turn += 1) {
    await rows.build('a', 1_700_000_000);
    await rows.change({ received_at: 1_700_000_000 });
  }
  for (const [name, size] of [
    ['finished', 3_000_000],
    ['sealed', 200_000],
    ['running', 200_000],
  ] as const) {
    const logid = await store.write(async (tx) =>
      ensureLog(tx, await startStep(tx, { buildid: 1, number: 0, name: 'shell', at: 1_700_000_000 }), name),
    );
    const bytes = textOf(name, size);
    texts.set(logid, bytes);
    for (let offset = 0; offset < size; offset += 20_000) {
      const piece = bytes.subarray(offset, offset + 20_000);
      await files.append(logid, { offset, channel: 'stdout', at: 1, bytes: piece });
      if (offset % 60_000 === 0) await files.sync([logid]);
    }
    await files.sync([logid]);
    await store.write((tx) => setLogSizes(tx, [[logid, size]]));
    if (name === 'running') continue;
    const end = await files[name === 'sealed' ? 'seal' : 'finish'](logid);
    await store.write((tx) => completeLog(tx, logid, endOf(end, {})));
  }
});
afterAll(() => temp[Symbol.asyncDispose]());

/** Lines that do not repeat, so that no compressor folds them. */
function textOf(name: string, size: number): Buffer {
  const lines: string[] = [];
  for (let line = 0, length = 0; length < size; line += 1) {
    const digest = createHash('sha256').update(`${name} ${line}`).digest('base64');
    lines.push(`${line} ${digest}\n`);
    length += lines.at(-1)!.length;
  }
  return Buffer.from(lines.join('')).subarray(0, size);
}

/** The same for the same seed on every machine (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function flip(file: string, random: () => number): Promise<void> {
  const { size } = await stat(file);
  const at = Math.floor(random() * size);
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0]! ^= 1 << Math.floor(random() * 8);
  await handle.write(byte, 0, 1, at);
  await handle.close();
}

async function copyOf(name: string, what: 'all' | 'rows' = 'all'): Promise<string> {
  const dir = join(temp.path, name);
  await mkdir(dir);
  if (what === 'all') await cp(sound, dir, { recursive: true });
  else await cp(join(sound, 'state.sqlite'), join(dir, 'state.sqlite'));
  return dir;
}

/** What `db check` says; an error that names the damage counts as said. */
async function errorsIn(dir: string): Promise<(StoreFinding | BbxError)[]> {
  try {
    await using store = await openStore('sqlite:state.sqlite', { dir, readOnly: true });
    const found = await Array.fromAsync(checkStore(store, join(dir, 'logs')));
    return found.filter(({ status }) => status === 'error');
  } catch (error) {
    if (error instanceof BbxError) return [error];
    throw error;
  }
}

describe('a log file with one flipped bit', () => {
  const files: readonly [string, number][] = [
    ['1.zst', 1],
    ['2.log', 2],
    ['3.log', 3],
  ];
  it.each(files)('is found, or none of its bytes is another: %s', async (file, logid) => {
    let found = 0;
    for (let seed = 1; seed <= 25; seed += 1) {
      const dir = await copyOf(`${file}-${seed}`);
      await flip(join(dir, 'logs', '0', file), randomOf(seed * 1_000 + logid));
      const errors = await errorsIn(dir);
      await using logs = await openLogFiles(join(dir, 'logs'));
      const text = texts.get(logid)!;
      let end = 0;
      for await (const piece of logs.read(logid)) {
        // Whatever is not told as lost is what was written, where it was written.
        const own = text.subarray(piece.offset, piece.offset + piece.bytes.length);
        if (piece.damaged !== true) expect(own.equals(piece.bytes), `seed ${seed}`).toBe(true);
        else expect(errors.length, `seed ${seed}`).toBeGreaterThan(0);
        end = piece.offset + piece.bytes.length;
      }
      // Of a log that still runs nothing says yet that its last bytes were durable: they look like a torn end, which its row denies.
      if (file === '3.log' && end < text.length) expect(errors).toMatchObject([{ kind: 'log-short' }]);
      else expect(end, `seed ${seed}`).toBe(text.length);
      if (errors.length > 0) found += 1;
      // The other logs and the rows are not concerned.
      expect(errors.every((error) => 'logid' in error && error.logid === logid)).toBe(true);
    }
    expect(found).toBeGreaterThan(20);
  });

  it.each(files)('that is cut is found, and keeps what is before the cut: %s', async (file, logid) => {
    for (const share of [0, 0.01, 0.5, 0.9, 0.999]) {
      const dir = await copyOf(`${file}-cut-${share}`);
      const path = join(dir, 'logs', '0', file);
      await truncate(path, Math.floor((await stat(path)).size * share));
      const errors = await errorsIn(dir);
      expect(errors, `share ${share}`).not.toEqual([]);
      if (share < 0.1) continue;
      await using logs = await openLogFiles(join(dir, 'logs'));
      const text = texts.get(logid)!;
      let good = 0;
      for await (const piece of logs.read(logid)) {
        if (piece.damaged === true) continue;
        const own = text.subarray(piece.offset, piece.offset + piece.bytes.length);
        expect(own.equals(piece.bytes)).toBe(true);
        good += piece.bytes.length;
      }
      // A block of a finished log is 1 MiB, a record of a running one here 20,000 bytes.
      expect(good).toBeGreaterThan(text.length * share - (file.endsWith('.zst') ? 1_100_000 : 25_000));
    }
  });
});

describe('a database with one flipped bit', () => {
  const rowsIn = async (dir: string): Promise<Map<string, string>> => {
    await using store = await openStore('sqlite:state.sqlite', { dir, readOnly: true });
    const rows = new Map<string, string>();
    for (const { name, key } of DUMPED) {
      for (const row of await store.read((db) => db.selectFrom(name).selectAll().execute())) {
        const values = row as Record<string, unknown>;
        rows.set(`${name} ${key.map((column) => String(values[column])).join(' ')}`, JSON.stringify(row));
      }
    }
    return rows;
  };

  it('is found, or costs at most one value of one row', async () => {
    const before = await rowsIn(sound);
    let found = 0;
    let unchanged = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const dir = await copyOf(`sqlite-${seed}`, 'rows');
      await flip(join(dir, 'state.sqlite'), randomOf(seed));
      const errors = (await errorsIn(dir)).filter((error) => !('logid' in error));
      if (errors.length > 0) {
        found += 1;
        continue;
      }
      const after = await rowsIn(dir);
      const changed = [...before].filter(([key, row]) => after.get(key) !== row);
      expect(changed.length, `seed ${seed}`).toBeLessThanOrEqual(1);
      if (changed.length === 0) unchanged += 1;
    }
    // What is neither is a letter in a text, which nothing can see.
    expect(found).toBeGreaterThan(0);
    expect(found + unchanged).toBeGreaterThanOrEqual(55);
  });

  it('that is cut is found', async () => {
    for (const share of [0.1, 0.5, 0.9]) {
      const dir = await copyOf(`sqlite-cut-${share}`);
      const path = join(dir, 'state.sqlite');
      await truncate(path, Math.floor((await stat(path)).size * share));
      expect(await errorsIn(dir), `share ${share}`).not.toEqual([]);
    }
  });
});

it('a value that nothing could have written is found in its row', async () => {
  const dir = await copyOf('letter');
  const path = join(dir, 'state.sqlite');
  const bytes = await readFile(path);
  const at = bytes.indexOf('{"p":1}');
  const handle = await open(path, 'r+');
  await handle.write('[', at);
  await handle.close();
  expect(await errorsIn(dir)).toMatchObject([
    { kind: 'row', column: 'properties_json', problem: 'it is not JSON' },
  ]);
});

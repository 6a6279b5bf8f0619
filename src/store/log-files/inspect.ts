import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '../../base/error.ts';
import { readFinished } from './finished.ts';
import { placeOf } from './place.ts';
import { recover } from './recover.ts';
import type { Range } from './recover.ts';
import { readRunning, runningFrom } from './running.ts';
import { readTable, rebuildTable } from './table.ts';

export interface Inspected {
  file: string;
  bytes: number;
  damaged: Range[];
  /** Where the bytes are whole, and their channels and times are not known. */
  unmarked?: Range[];
  /** Its table is damaged, and made again from its blocks by whoever reads it. */
  tableDamaged?: boolean;
  /** Of the bytes that it holds, hex; undefined where some are lost. */
  sha256?: string;
  /** Set when nothing of it can be read. */
  problem?: string;
}

/** Reads a log's whole file and checks every checksum, changing nothing. Undefined when it has no file. */
export async function inspectLogFile(dir: string, logid: number): Promise<Inspected | undefined> {
  const { finished, running } = placeOf(dir, logid);
  // The one becomes the other while a farm runs: who found neither looks for the first again.
  for (const [file, inspect] of [
    [finished, inspectFinished],
    [running, inspectRunning],
    [finished, inspectFinished],
  ] as const) {
    let handle: FileHandle;
    try {
      handle = await open(file, 'r');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') continue;
      return { file, bytes: 0, damaged: [], problem: errnoOf(error) ?? String(error) };
    }
    try {
      return { file, ...(await inspect(handle)) };
    } catch (error) {
      return { file, bytes: 0, damaged: [], problem: errnoOf(error) ?? String(error) };
    } finally {
      await handle.close();
    }
  }
  return undefined;
}

async function inspectRunning(handle: FileHandle): Promise<Omit<Inspected, 'file'>> {
  const found = await recover(handle);
  if (found === undefined) return { bytes: 0, damaged: [], problem: 'not one record of it holds' };
  const hash = createHash('sha256');
  if (found === 'nothing') return { bytes: 0, damaged: [], sha256: hash.digest('hex') };
  const damaged = [...found.damaged];
  const pieces = readRunning(handle, runningFrom(found), { from: 0, to: found.size }, (range) =>
    damaged.push(range),
  );
  for await (const { bytes } of pieces) hash.update(bytes);
  const { lostTo } = found;
  if (lostTo !== undefined) damaged.push({ from: found.size, to: lostTo });
  return {
    bytes: lostTo ?? found.size,
    damaged,
    ...(damaged.length > 0 ? {} : { sha256: hash.digest('hex') }),
  };
}

async function inspectFinished(handle: FileHandle): Promise<Omit<Inspected, 'file'>> {
  const own = await readTable(handle);
  const table = own ?? (await rebuildTable(handle));
  if (table === undefined) return { bytes: 0, damaged: [], problem: 'not one block of it holds' };
  const damaged = [...table.damaged];
  const whole = { from: 0, to: table.bytes };
  const unmarked: Range[] = [];
  const pieces = readFinished(
    handle,
    table,
    whole,
    (range) => damaged.push(range),
    (range) => unmarked.push(range),
  );
  const hash = createHash('sha256');
  for await (const { bytes } of pieces) hash.update(bytes);
  return {
    ...{ bytes: table.bytes, damaged, unmarked, tableDamaged: own === undefined },
    ...(damaged.length > 0 ? {} : { sha256: hash.digest('hex') }),
  };
}

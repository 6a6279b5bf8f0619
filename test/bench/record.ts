import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Curve, Figure } from './figure.ts';

/** Something measured, with what one must know to judge it. */
export type Result = (Figure | Curve) & {
  store: string;
  /** Epoch seconds, whole ones. */
  at: number;
  node: string;
  machine: { system: string; cpus: number; memoryGb: number };
  /** Processes that wanted a processor, over the last minute, before and after. */
  load: [number, number];
};

export const FOLDER = fileURLToPath(new URL('../../docs/performance', import.meta.url));
const FILE = `${FOLDER}/measured.json`;

export async function readRecord(): Promise<Result[]> {
  try {
    return JSON.parse(await readFile(FILE, 'utf8')) as Result[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Puts results in the place of former ones of the same name, yardstick and store. */
export async function keepResults(found: readonly Result[]): Promise<void> {
  const kept = new Map((await readRecord()).map((result) => [keyOf(result), result]));
  for (const result of found) kept.set(keyOf(result), result);
  await mkdir(FOLDER, { recursive: true });
  await writeFile(FILE, `${JSON.stringify([...kept.values()].map(rounded), null, 1)}\n`);
}

function keyOf(result: Result): string {
  const name = 'curve' in result ? result.curve : `${result.name} | ${result.yardstick.name}`;
  return `${result.store} | ${name}`;
}

/** Four digits say more than any of it is worth. */
function rounded(result: Result): Result {
  const round = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  return JSON.parse(JSON.stringify(result, round)) as Result;
}

import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { writeWhole } from '../../config/whole-file.ts';

/** What the master has told this worker about itself; `.bbx/learned.json`. */
export interface Learned {
  /** Keys of the master to accept. */
  pins: readonly string[];
  /** Ways to reach it, best first. */
  reach: readonly string[];
}

const learned = z.object({ pins: z.array(z.string()).max(8), reach: z.array(z.string()).max(32) });

/** What is remembered; nothing when the file is missing or damaged (then worker.yaml has to do). */
export async function readLearned(file: string): Promise<Learned> {
  try {
    return learned.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return { pins: [], reach: [] };
  }
}

/** Keeps what a worker has learned of its master, whole or not at all. */
export async function writeLearned(file: string, value: Learned): Promise<void> {
  // An empty file after a power failure would be a worker that trusts whom it meets first.
  await writeWhole(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

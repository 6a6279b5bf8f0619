import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEnd } from './messages.ts';

/** In a build's directory in the spool. */
export const LAST_END = 'end.json';

/** How the last command of a build ended that no worker was told of. */
export interface LastEnd {
  step: number;
  /** How many writes of the worker are in the step's log. */
  turns: number;
  end: RunEnd;
  /** Names the run of the machine in which it ended. */
  boot: string;
  /** When, by `machineElapsed`; absent where an older keeper wrote it. */
  seconds?: number | undefined;
}

/**
 * Leaves an end where the next worker process finds it should the keeper be gone by then. Written only while no worker is there, so that
 * ordinary builds cost nothing more.
 */
export async function writeLastEnd(dir: string, last: LastEnd): Promise<void> {
  const path = join(dir, LAST_END);
  await writeFile(`${path}.new`, JSON.stringify(last), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readPast } from '../../build/past.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import { LAST_END, type LastEnd } from './keeper/last-end.ts';

const lastEnd = z.object({
  step: z.number().int().nonnegative(),
  turns: z.number().int().nonnegative(),
  end: z.object({
    ended: z.enum(['exit', 'signal', 'timeout', 'maxTime', 'cancelled', 'notStarted']),
    rc: z.number().int().nullable(),
    signal: z.string().nullable(),
    error: z.string().optional(),
    leftovers: z.number().int().nonnegative(),
    alive: z.array(z.number().int()),
    tookMs: z.number().nonnegative().optional(),
    cut: z.number().int().nonnegative().optional(),
    told: z.boolean().optional(),
  }),
  boot: z.string(),
  seconds: z.number().optional(),
});

/** How the open step of a build ended, when a keeper that is gone has left word; undefined when nobody knows. */
export async function readLastEnd(
  dir: string,
  events: readonly ProgressEvent[],
): Promise<LastEnd | undefined> {
  try {
    const last = lastEnd.parse(JSON.parse(await readFile(join(dir, LAST_END), 'utf8')));
    // Left at an earlier step, of which a worker was told later.
    return last.step === readPast(events).open ? last : undefined;
  } catch {
    return undefined;
  }
}

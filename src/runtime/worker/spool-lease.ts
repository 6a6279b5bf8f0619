import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { errnoOf } from '../../base/error.ts';
import { buildPlan } from '../../build/plan.ts';
import { leaseToken } from '../../protocol/bbx/messages.ts';
import { LEASE } from './spool-directory.ts';

/** What a build attempt is, as it was assigned; `lease.json` of its directory. No secret's value is in it. */
const spoolLease = z.object({
  build: z.number().int().positive(),
  token: leaseToken,
  epoch: z.string(),
  orphanAfter: z.number().positive().nullable(),
  plan: buildPlan,
  /** The run of the machine in which it was assigned. */
  boot: z.string().optional(),
});
export type SpoolLease = z.infer<typeof spoolLease>;

/** The lease in an attempt's directory, with its size in bytes; undefined when it is not there, or not whole. */
export async function readLease(dir: string): Promise<{ lease: SpoolLease; bytes: number } | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, LEASE), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return { lease: spoolLease.parse(JSON.parse(text)), bytes: Buffer.byteLength(text) };
  } catch {
    return undefined;
  }
}

import { open } from 'node:fs/promises';
import * as z from 'zod';
import { errnoOf } from '../../base/error.ts';
import { workerLayout } from '../../config/layout.ts';
import { linkFact } from '../../protocol/bbx/link-facts.ts';
import { CLOSE } from '../../protocol/bbx/wire.ts';
import type { LinkEndsFacts, TakingFact } from '../facts/own.ts';
import type { ProgramSubject } from '../subject.ts';

/** Of the end of the history: hours of a bad link. */
const TAIL_BYTES = 256 * 1024;

const record = z.object({ at: z.number(), fact: linkFact });

/** Reads from a worker's history of its link who took its name (the file of `workerLayout().linkHistory`, JSON lines). */
export async function readLinkEnds({ dir }: ProgramSubject): Promise<LinkEndsFacts> {
  const base = { at: new Date().toISOString(), now: Date.now() };
  const text = await tailOf(workerLayout(dir).linkHistory);
  if (text === undefined) return { ...base, readable: false, takings: [], upAt: null };
  const takings: TakingFact[] = [];
  let upAt: number | null = null;
  for (const line of text.split('\n')) {
    const one = readLine(line);
    if (one === undefined) continue;
    const { fact } = one;
    const at = one.at * 1_000;
    if (fact.kind === 'up') upAt = at;
    if (fact.kind === 'down' && fact.code === CLOSE.replaced)
      takings.push({ at, kind: 'replaced', words: fact.reason });
    if (fact.kind === 'failed' && fact.code === 'BBX-PRO-ALTERNATING')
      takings.push({ at, kind: 'refused', words: fact.got });
  }
  return { ...base, readable: true, takings, upAt };
}

/** The last part of a file; a line that is cut at its begin is no JSON, and so passed over. */
async function tailOf(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

function readLine(line: string): z.infer<typeof record> | undefined {
  try {
    return record.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

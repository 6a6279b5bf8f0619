import type { LabCase } from '../cases/case.ts';
import { wantOf, type LabHands } from '../stage/stagehands.ts';
import { askDoctor } from './doctor.ts';
import { mark, type Mark } from './score.ts';
import { rowOf } from './table.ts';

export interface LabRun {
  readonly hands: LabHands;
  /** So many cases at a time. */
  readonly jobs: number;
  readonly tell: (line: string) => void;
}

/** Asks the doctor about every case that this machine can make; those that it cannot are named aloud and are no part of the score. */
export async function runCases(cases: readonly LabCase[], run: LabRun): Promise<Mark[]> {
  const marks = await inLanes(cases, run, async (one) => {
    const marked = mark(one, await askDoctor(one, run.hands));
    run.tell(rowOf(marked).join('  '));
    return marked;
  });
  return marks.filter((one) => one !== undefined);
}

/** Does the work for each case that can be made here, a few at a time, in the order of the list. */
export async function inLanes<Result>(
  cases: readonly LabCase[],
  run: LabRun,
  work: (one: LabCase) => Promise<Result>,
): Promise<(Result | undefined)[]> {
  return await atATime(cases, run.jobs, async (one) => {
    const want = wantOf(one);
    if (want.length === 0) return await work(one);
    run.tell(`SKIPPED: ${one.id} ${one.title}: missing ${want.join(', ')}`);
    return undefined;
  });
}

/** Does the work for each item, so many at a time, and gives the results in the order of the items. */
export async function atATime<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items.entries()];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, item] = next;
      results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: most }, lane));
  return results;
}

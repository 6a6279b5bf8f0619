import { catalogue } from '../../../src/diagnostics/catalogue.ts';
import type { LabCase } from '../cases/case.ts';
import { WITHOUT_CASE } from '../cases/without.ts';
import { wantOf } from '../stage/stagehands.ts';
import { askDoctor } from './doctor.ts';
import { recorded } from './record.ts';
import { atATime, type LabRun } from './run.ts';
import { mark, type Said } from './score.ts';

export interface Mutant {
  /** The check that was taken out. */
  readonly id: string;
  /** Cases that were asked again, those first whose root is this check alone. */
  readonly asked: readonly string[];
  /** The case that is missed without it: recall falls. */
  readonly missed?: string;
}

/**
 * Takes each check out, one after another, and asks again about cases whose root it named when they were last recorded, until one is missed.
 * `ids`: these checks alone, or those that begin so.
 */
export async function mutate(
  cases: readonly LabCase[],
  ids: readonly string[],
  run: LabRun,
): Promise<Mutant[]> {
  const said = await recorded();
  const wanted = catalogue.filter(({ id }) => ids.length === 0 || ids.some((part) => id.startsWith(part)));
  return await atATime(wanted, run.jobs, async ({ id }) => {
    const asked: string[] = [];
    for (const one of casesOf(id, cases, said).filter((each) => wantOf(each).length === 0)) {
      asked.push(one.id);
      if (mark(one, await askDoctor(one, run.hands, [id])).found) continue;
      run.tell(`without ${id}: ${one.id} is missed`);
      return { id, asked, missed: one.id };
    }
    run.tell(`without ${id}: nothing is missed (${asked.join(' ') || 'no case'})`);
    return { id, asked };
  });
}

/** The cases whose root a check named, most telling first: the fewer other roots are right, and then the quicker. */
export function casesOf(
  id: string,
  cases: readonly LabCase[],
  said: Readonly<Record<string, Said>>,
): LabCase[] {
  const named = cases.filter((one) => {
    const { grave = [], facts = [] } = said[one.id] ?? {};
    return one.root.includes(id) && [...grave, ...(one.fact === true ? facts : [])].includes(id);
  });
  const ms = (one: LabCase) => said[one.id]?.ms ?? 0;
  return named.toSorted((a, b) => a.root.length - b.root.length || ms(a) - ms(b));
}

/** Whether each check is missed when it is gone, or cannot have a case. */
export function allFall(mutants: readonly Mutant[]): boolean {
  return mutants.every(({ id, missed }) => missed !== undefined || WITHOUT_CASE[id] !== undefined);
}

export function mutationLines(mutants: readonly Mutant[]): string[] {
  const falling = mutants.filter(({ missed }) => missed !== undefined);
  const rest = mutants.filter(({ missed }) => missed === undefined);
  return [
    `${falling.length} of ${mutants.length} checks: recall falls without them`,
    ...rest.map(({ id, asked }) =>
      asked.length > 0
        ? `${id}: nothing is missed without it (${asked.join(' ')})`
        : `${id}: no case${WITHOUT_CASE[id] === undefined ? '' : ` (${WITHOUT_CASE[id]})`}`,
    ),
  ];
}

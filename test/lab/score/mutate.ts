import { askDoctor } from './doctor.ts';
import { inLanes, type LabRun } from './run.ts';
import { mark, type Mark } from './score.ts';

export interface Mutant {
  /** The check that was taken out. */
  readonly id: string;
  /** Cases that are missed without it. */
  readonly missed: readonly string[];
  /** Cases in which it named the root. */
  readonly cases: readonly string[];
  /** Whether recall is less without it. */
  readonly falls: boolean;
}

/** Takes each check out, one after another, and asks again about the cases whose root it named. */
export async function mutate(marks: readonly Mark[], run: LabRun): Promise<Mutant[]> {
  const mutants: Mutant[] = [];
  const { catalogue } = await import('../../../src/diagnostics/catalogue.ts');
  for (const { id } of catalogue) {
    const named = marks.filter(
      ({ case: one, found, said }) =>
        found && one.root.includes(id) && said.grave.concat(said.facts).includes(id),
    );
    const again = await inLanes(
      named.map(({ case: one }) => one),
      run,
      async (one) => mark(one, await askDoctor(one, run.hands, [id])),
    );
    const missed = again.flatMap((one) => (one === undefined || one.found ? [] : [one.case.id]));
    run.tell(`without ${id}: ${missed.length} of ${named.length} cases are missed`);
    mutants.push({ id, missed, cases: named.map(({ case: one }) => one.id), falls: missed.length > 0 });
  }
  return mutants;
}

export function mutationLines(mutants: readonly Mutant[]): string[] {
  const falling = mutants.filter(({ falls }) => falls);
  const without = mutants.filter(({ cases }) => cases.length === 0).map(({ id }) => id);
  const doubled = mutants.filter(({ falls, cases }) => !falls && cases.length > 0);
  return [
    `${falling.length} of ${mutants.length} checks: recall falls without them`,
    `checks without a case: ${without.join(' ') || 'none'}`,
    ...doubled.map(({ id, cases }) => `${id}: nothing is missed without it (${cases.join(' ')})`),
  ];
}

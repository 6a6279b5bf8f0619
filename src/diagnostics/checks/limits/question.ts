import type { CheckContext } from '../../check.ts';
import { pasted } from '../../evidence.ts';
import type { LimitFacts, ProcessFact } from '../../facts/limits.ts';

/** Topics of what this host lends to programs. */
export const topics = ['host', 'reach', 'listen'] as const;

/** This process, as what is started from this shell gets the same, and the programs of the directory that run. */
export async function processes(context: CheckContext): Promise<ProcessFact[]> {
  const programs = context.subjects.filter((subject) => subject.kind === 'program');
  const found = await Promise.all([
    context.probes.ownProcess(),
    ...programs
      .filter((program) => program.running === true)
      .map((program) => context.probes.process(program)),
  ]);
  return found.filter((one) => one !== undefined);
}

/** Commands that write a line of `[Service]` for the unit that runs a program; undefined where no unit does. */
export function changeUnit({ unit, ownUnit }: Pick<ProcessFact, 'unit' | 'ownUnit'>, line: string) {
  if (unit?.endsWith('.service') !== true) return undefined;
  const systemctl = ownUnit ? 'systemctl --user' : 'sudo systemctl';
  return [`${systemctl} edit ${pasted(unit)}   # [Service] ${line}`, `${systemctl} restart ${pasted(unit)}`];
}

/** The system's limits. */
export const limits = (context: CheckContext): Promise<LimitFacts> => context.probes.limits();

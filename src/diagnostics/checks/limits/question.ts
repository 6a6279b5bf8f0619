import type { CheckContext } from '../../check.ts';
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

/** The system's limits. */
export const limits = (context: CheckContext): Promise<LimitFacts> => context.probes.limits();

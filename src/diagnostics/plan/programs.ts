import type { DirectoryFacts, MasterFacts, WorkerFacts } from '../directory.ts';
import type { ProgramSubject } from '../subject.ts';

/** The programs of the directory; the master beside a worker is one only when it does not run, which is why nobody answers there. */
export function programsOf({ master, worker, beside }: DirectoryFacts): ProgramSubject[] {
  const of = (
    role: 'master' | 'worker',
    facts: MasterFacts | WorkerFacts,
    runAs: string | null,
  ): ProgramSubject => ({
    kind: 'program',
    role,
    dir: facts.dir,
    shown: facts.shown,
    running: facts.running,
    runAs,
  });
  return [
    ...(master === undefined ? [] : [of('master', master, null)]),
    ...(worker === undefined ? [] : [of('worker', worker, worker.config?.runAs ?? null)]),
    ...(beside === undefined || beside.running ? [] : [of('master', beside, null)]),
  ];
}

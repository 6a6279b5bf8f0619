import { dirname } from 'node:path';
import { masterLayout, workerLayout } from '../../config/layout.ts';
import { parseStoreUrl } from '../../store/url.ts';
import type { DirectoryFacts, MasterFacts, WorkerFacts } from '../directory.ts';
import type { ProgramSubject } from '../subject.ts';

/** The programs of the directory; the master beside a worker is one only when it does not run, which is why nobody answers there. */
export function programsOf({ master, worker, beside }: DirectoryFacts): ProgramSubject[] {
  const of = (
    role: 'master' | 'worker',
    facts: MasterFacts | WorkerFacts,
    runAs: string | null,
    needs: Pick<ProgramSubject, 'parts' | 'store'>,
  ): ProgramSubject => ({
    kind: 'program',
    role,
    dir: facts.dir,
    shown: facts.shown,
    running: facts.running,
    runAs,
    ...needs,
  });
  return [
    ...(master === undefined ? [] : [of('master', master, null, masterNeeds(master))]),
    ...(worker === undefined
      ? []
      : [of('worker', worker, worker.config?.runAs ?? null, workerNeeds(worker))]),
    ...(beside === undefined || beside.running
      ? []
      : [of('master', beside, null, { parts: [], store: null })]),
  ];
}

function masterNeeds({ dir, config }: MasterFacts): Pick<ProgramSubject, 'parts' | 'store'> {
  const store = config?.store ?? null;
  const place = store === null ? undefined : parseStoreUrl(store, dir);
  return {
    parts: [
      ...(place?.kind === 'sqlite' ? [{ name: 'store', path: dirname(place.file) }] : []),
      { name: 'logs', path: masterLayout(dir).logs },
      { name: 'configuration', path: dir },
    ],
    store,
  };
}

function workerNeeds({ dir }: WorkerFacts): Pick<ProgramSubject, 'parts' | 'store'> {
  const { spool, builds } = workerLayout(dir);
  return {
    parts: [
      { name: 'spool', path: spool },
      { name: 'builds', path: builds },
      { name: 'configuration', path: dir },
    ],
    store: null,
  };
}

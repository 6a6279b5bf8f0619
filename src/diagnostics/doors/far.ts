import type { SourceSubject } from '../far-subjects.ts';
import type { NestedFacts, RepositoryFact } from '../facts/sources.ts';
import { once } from '../probes.ts';
import { readNested, readRepository } from './sources.ts';

/** Doors to services that are no master: repositories, mail servers, web services that are told of builds. */
export interface FarProbes {
  /** What a repository says to git. */
  repository(source: SourceSubject): Promise<RepositoryFact>;
  /** Submodules and LFS, as far as a copy of the repository stands on this machine. */
  nested(source: SourceSubject): Promise<NestedFacts>;
}

/** The real ones; each thing is asked once. */
export function createFarProbes(options: {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
}): FarProbes {
  const onceRepository = once<RepositoryFact>();
  const onceNested = once<NestedFacts>();
  return {
    repository: (source) => onceRepository(source.text, () => readRepository(source, options)),
    nested: (source) => onceNested(source.text, () => readNested(source, options)),
  };
}

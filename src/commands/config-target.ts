import { findDirectory, type FoundDirectory } from '../client/find-directory.ts';
import type { LoadOptions } from '../config/load.ts';
import { loadMaster } from '../config/master.ts';
import { loadWorker } from '../config/worker.ts';
import { effectiveMaster, effectiveWorker } from '../config/effective.ts';
import type { Origin } from '../config/override.ts';
import type { Problem } from '../config/problem.ts';
import type { DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';

/** The directory whose configuration a command line means, a master's first. */
export function configDirectory(context: Context, options: DirOptions): FoundDirectory {
  return findDirectory({ cwd: context.cwd, named: options.dir, roles: ['master', 'worker'] });
}

/** A role's configuration with every default spelt out. */
export interface Shown {
  file: string;
  values: Record<string, unknown>;
  warnings: Problem[];
  origin(path: readonly PropertyKey[]): Origin;
}

/** The configuration of a directory with where each value came from, for the commands that show it. */
export async function loadShown(context: Context, found: FoundDirectory): Promise<Shown> {
  const options: LoadOptions = { env: context.env, signal: context.signal };
  if (found.role === 'master') {
    const { config, ...loaded } = await loadMaster(found.dir, options);
    return { ...loaded, values: effectiveMaster(config) };
  }
  const { config, ...loaded } = await loadWorker(found.dir, options);
  return { ...loaded, values: effectiveWorker(config) };
}

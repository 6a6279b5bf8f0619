import { codes } from './codes.ts';
import { workerLayout } from './layout.ts';
import {
  loadDocument,
  readText,
  yamlDocument,
  type Language,
  type Loaded,
  type LoadOptions,
} from './load.ts';
import { WORKER_SETTINGS } from './override.ts';
import { workerSchema } from './schema/worker.ts';
import { resolveWorker, type WorkerConfig } from './worker-config.ts';

export type { WorkerConfig } from './worker-config.ts';

/** What the loader must know of `worker.yaml`. */
export const workerLanguage: Language<typeof workerSchema, WorkerConfig> = {
  schema: workerSchema,
  settings: WORKER_SETTINGS,
  crossCheck: () => [],
  resolve: resolveWorker,
  lastCheck: () => Promise.resolve([]),
};

/**
 * The configuration of the worker's directory `dir`, from `worker.yaml`, environment and flags over it. Throws BBX-CFG-MISSING,
 * BBX-CFG-READ, and BBX-CFG-INVALID with every problem in its data.
 */
export async function loadWorker(dir: string, options: LoadOptions = {}): Promise<Loaded<WorkerConfig>> {
  return loadDocument(workerLanguage, await readWorker(dir), options);
}

/** The file of a worker's directory, read and not checked. */
export async function readWorker(dir: string) {
  const { config: file, root } = workerLayout(dir);
  const bytes = await readText(file);
  if (bytes === undefined) throw codes['BBX-CFG-MISSING']({ dir, role: 'worker' });
  return { ...yamlDocument(bytes, file), file, dir: root };
}

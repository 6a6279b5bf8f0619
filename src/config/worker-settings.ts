import { isPattern, matchesPattern } from '../base/pattern.ts';
import type { WorkerSettings } from './master-config.ts';

/**
 * What the master's configuration says of a worker: the entry of its name, else the most exact pattern that fits (the one with the
 * most letters besides `*`), else nothing special.
 */
export function workerSettings(
  workers: Readonly<Record<string, WorkerSettings>>,
  name: string,
): WorkerSettings {
  const own = Object.hasOwn(workers, name) ? workers[name] : undefined;
  if (own !== undefined) return own;
  const [best] = Object.keys(workers)
    .filter((pattern) => isPattern(pattern) && matchesPattern(pattern, name))
    .sort((a, b) => letters(b) - letters(a) || (a < b ? -1 : 1));
  return (best === undefined ? undefined : workers[best]) ?? { tags: [], maxBuilds: null };
}

function letters(pattern: string): number {
  return pattern.replaceAll('*', '').length;
}

import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { masterLayout, workerLayout } from '../config/layout.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { errnoOf } from '../base/error.ts';
import { codes } from './codes.ts';

export type Role = 'master' | 'worker';

/** A directory that bbx made, with the role it has there. */
export interface FoundDirectory {
  dir: string;
  role: Role;
}

/** How far up is looked: far deeper than people nest, and an end for a loop of mounts. */
const MAX_LEVELS_UP = 64;

/**
 * The directory that a command works in: `named` (`--dir`) and nothing else when it is given; otherwise the current directory and those above
 * it, then `./master` and `./worker`. Throws BBX-API-NO-DIRECTORY (exit 6) with all that was looked at,
 * or BBX-FILE-DENIED (exit 5) when this user may not look into one of them.
 */
export function findDirectory(
  options: { cwd: string; named?: string | undefined; roles: readonly Role[] },
  exists: (path: string) => boolean = isThere,
): FoundDirectory {
  const { cwd, named, roles } = options;
  const candidates =
    named === undefined
      ? [...upwards(resolve(cwd)), ...roles.map((role) => resolve(cwd, role))]
      : [resolve(cwd, named), ...roles.map((role) => resolve(cwd, named, role))];
  let denied: unknown;
  for (const dir of candidates) {
    try {
      const role = roles.find((wanted) => holds(dir, wanted, exists));
      if (role !== undefined) return { dir, role };
    } catch (error) {
      // What stands above the current directory is looked at in passing only.
      if (dir.startsWith(resolve(cwd, named ?? '.'))) denied ??= fileTrouble(error, dir) ?? error;
    }
  }
  if (denied !== undefined) throw denied;
  throw codes['BBX-API-NO-DIRECTORY']({
    role: roles.length > 1 ? 'either' : (roles[0] ?? 'master'),
    named: named !== undefined,
    looked:
      named === undefined
        ? [`${resolve(cwd)} and above`, ...roles.map((role) => join(cwd, role))]
        : candidates,
  });
}

function upwards(start: string): string[] {
  const found = [start];
  for (let dir = start; found.length < MAX_LEVELS_UP && dirname(dir) !== dir;) {
    dir = dirname(dir);
    found.push(dir);
  }
  return found;
}

/** Whether a file is there; throws when that cannot be known, as `existsSync` does not. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

function holds(dir: string, role: Role, exists: (path: string) => boolean): boolean {
  if (role === 'worker') return exists(workerLayout(dir).config);
  const layout = masterLayout(dir);
  return exists(layout.configYaml) || exists(layout.configTs);
}

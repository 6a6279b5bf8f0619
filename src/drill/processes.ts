import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** A living process and its command line. */
export interface Found {
  pid: number;
  command: string;
}

/**
 * Every process that works in a directory or below, or names it in its command line or environment: the programs of a farm, keepers, steps and
 * what these have started. Empty where there is no /proc.
 */
export function processesOf(dir: string): Found[] {
  return processesBelow([dir]);
}

/** The same for several directories in one look, which costs as much as for one. */
export function processesBelow(dirs: readonly string[]): (Found & { dir: string })[] {
  const found: (Found & { dir: string })[] = [];
  for (const name of readOr([], () => readdirSync('/proc'))) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // Files of /proc are never waited for: to read them at once costs a fifth of what asking a thread for each does.
    const command = readOr('', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    const cwd = readOr('', () => readlinkSync(`/proc/${pid}/cwd`));
    // The dead that wait for their parent have neither.
    if (cwd === '' && command === '') continue;
    let environment: string | undefined;
    const dir = dirs.find(
      (one) =>
        names(cwd, one) ||
        names(command, one) ||
        names((environment ??= readOr('', () => readFileSync(`/proc/${pid}/environ`, 'latin1'))), one),
    );
    if (dir !== undefined) found.push({ pid, command: command.replaceAll('\0', ' ').trim(), dir });
  }
  return found;
}

/** Of a process that ended meanwhile, or that others may not see, `nothing`. */
function readOr<Value>(nothing: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    return nothing;
  }
}

/** Ends all of them, again and again until none is left or `rounds` are over: some start others meanwhile. Gives what is left. */
export async function killAll(dir: string, rounds = 20): Promise<Found[]> {
  for (let round = 0; round < rounds; round += 1) {
    const found = processesOf(dir);
    if (found.length === 0) return [];
    for (const { pid } of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return processesOf(dir);
}

/** Memory and open files of a process, where the system tells. */
export async function sizeOf(pid: number): Promise<{ residentBytes: number; handles: number } | undefined> {
  try {
    const [status, files] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
    return Number.isFinite(kilobytes)
      ? { residentBytes: kilobytes * 1_024, handles: files.length }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text holds this directory or a path below it, not one whose name only begins alike. */
function names(text: string, dir: string): boolean {
  for (let at = text.indexOf(dir); at !== -1; at = text.indexOf(dir, at + 1)) {
    const next = text[at + dir.length];
    if (next === undefined || !/[\w.-]/.test(next)) return true;
  }
  return false;
}

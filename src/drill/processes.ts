import { readdir, readFile, readlink } from 'node:fs/promises';

/** A living process and its command line. */
export interface Found {
  pid: number;
  command: string;
}

/**
 * Every process that works in a directory or below, or names it in its command line or environment: the programs of a farm, keepers, steps and
 * what these have started. Empty where there is no /proc.
 */
export async function processesOf(dir: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const [cwd, command, environment] = await Promise.all([
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
      readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
      readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''),
    ]);
    // The dead that wait for their parent have neither.
    if (cwd === '' && command === '') continue;
    if (names(cwd, dir) || names(command, dir) || names(environment, dir))
      found.push({ pid, command: command.replaceAll('\0', ' ').trim() });
  }
  return found;
}

/** Ends all of them, again and again until none is left or `rounds` are over: some start others meanwhile. Gives what is left. */
export async function killAll(dir: string, rounds = 20): Promise<Found[]> {
  for (let round = 0; round < rounds; round += 1) {
    const found = await processesOf(dir);
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

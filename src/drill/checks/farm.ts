import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processesOf } from '../processes.ts';
import { SAID, type Sandbox } from '../sandbox.ts';

/** Attempts that are left on the workers' disks; nothing may when nothing runs. */
export async function spoolsLeft(farm: Sandbox): Promise<string[]> {
  const left: string[] = [];
  for (const { name, dir } of farm.workers) {
    const spool = join(dir, 'spool');
    const entries = await readdir('within' in farm.disks ? farm.disks.seen(spool) : spool);
    left.push(...entries.map((entry) => `"${entry}" is left in the spool of ${name}`));
  }
  return left;
}

/** Processes of steps that outlived their builds: they work in the workspaces. */
export async function stepsLeft(farm: Sandbox): Promise<string[]> {
  const left: string[] = [];
  for (const { name, dir } of farm.workers)
    for (const { pid, command } of await processesOf(join(dir, 'builds')))
      left.push(`a step of ${name} is left running: ${pid} ${command}`);
  return left;
}

/** Faults of bbx in the words of all programs since the last call, by how much of each file was read. */
export async function faultsSaid(farm: Sandbox, read: Map<string, number>): Promise<string[]> {
  const found: string[] = [];
  for (const file of await readdir(join(farm.dir, SAID))) {
    const text = await readFile(join(farm.dir, SAID, file), 'utf8');
    const fresh = text.slice(read.get(file) ?? 0);
    read.set(file, text.length);
    for (const line of fresh.split('\n'))
      if (/fault of bbx|UnhandledPromise|^\s+at .*\(?(?:file:|node:)/.test(line))
        found.push(`${file} says: ${line.trim()}`);
  }
  return found;
}

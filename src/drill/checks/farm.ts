import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { processesBelow } from '../processes.ts';
import { readFrom } from '../read-from.ts';
import { SAID, type Sandbox } from '../sandbox.ts';

/** Attempts that are left on the workers' disks; nothing may when nothing runs. */
export async function spoolsLeft(farm: Sandbox): Promise<string[]> {
  const left: string[] = [];
  for (const { name, dir } of farm.workers) {
    const spool = join(dir, 'spool');
    const entries = await readdir(farm.seen(spool));
    left.push(...entries.map((entry) => `"${entry}" is left in the spool of ${name}`));
  }
  return left;
}

/** Processes of steps that outlived their builds: they work in the workspaces. */
export function stepsLeft(farm: Sandbox): string[] {
  const names = new Map(farm.workers.map(({ name, dir }) => [join(dir, 'builds'), name]));
  return processesBelow([...names.keys()]).map(
    ({ pid, command, dir }) => `a step of ${names.get(dir)} is left running: ${pid} ${command}`,
  );
}

/** Faults of bbx in the words of all programs since the last call, by how many bytes of each file were read. */
export async function faultsSaid(farm: Sandbox, read: Map<string, number>): Promise<string[]> {
  const found: string[] = [];
  for (const file of await readdir(join(farm.dir, SAID))) {
    const { text, next } = await readFrom(join(farm.dir, SAID, file), read.get(file) ?? 0);
    read.set(file, next);
    for (const line of text.split('\n'))
      if (/fault of bbx|UnhandledPromise|^\s+at .*\(?(?:file:|node:)/.test(line))
        found.push(`${file} says: ${line.trim()}`);
  }
  return found;
}

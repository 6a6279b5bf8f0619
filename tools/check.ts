/**
 * `npm run check`: types, lint, format and unit tests side by side, as two cores allow. Prints what failed, and how long each part took.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Two queues of about the same length; what is in one runs in its order. */
const QUEUES: readonly (readonly [name: string, ...command: string[]])[][] = [
  [
    ['lint', 'eslint', '--cache', '--cache-location', 'node_modules/.cache/eslint/', '.'],
    ['types', 'tsc', '-p', '.'],
  ],
  [
    ['unit', 'vitest', 'run', '--project', 'unit', '--silent=passed-only'],
    ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ],
];

const failed = (await Promise.all(QUEUES.map(runQueue))).flat();
process.exitCode = failed.length === 0 ? 0 : 1;

async function runQueue(queue: (typeof QUEUES)[number]): Promise<string[]> {
  const red: string[] = [];
  for (const [name, command, ...args] of queue) {
    const start = performance.now();
    const child = spawn(command ?? '', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    // The test runner's closing lines are shown in any case: they say how much was run.
    if (code !== 0 || name === 'unit') process.stdout.write(Buffer.concat(output));
    process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} ${seconds} s\n`);
    if (code !== 0) red.push(name);
  }
  return red;
}

/**
 * `npm run check`: types, lint, format and unit tests side by side, as two cores allow. Prints what failed, and how long each part took.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Longest first: each lane takes the next when it is free, so that both end at about the same time. What is kept makes the next run quicker. */
const PARTS: readonly (readonly [name: string, ...command: string[]])[] = [
  ['lint', 'eslint', '--cache', '--cache-location', 'node_modules/.cache/eslint/', '.'],
  ['unit', 'vitest', 'run', '--project', 'unit', '--silent=passed-only'],
  [
    ...(['format', 'prettier', '--check', '--log-level', 'warn'] as const),
    ...['--cache', '--cache-location', 'node_modules/.cache/prettier/check', '.'],
  ],
  ['types', 'tsc', '-p', '.', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/tsc/check.json'],
];
const LANES = 2;

const waiting = [...PARTS];
const failed: string[] = [];
await Promise.all(Array.from({ length: LANES }, runLane));
process.exitCode = failed.length === 0 ? 0 : 1;

async function runLane(): Promise<void> {
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    const [name, command = '', ...args] = part;
    const start = performance.now();
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    // The test runner's closing lines are shown in any case: they say how much was run.
    if (code !== 0 || name === 'unit') process.stdout.write(Buffer.concat(output));
    process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} ${seconds} s\n`);
    if (code !== 0) failed.push(name);
  }
}

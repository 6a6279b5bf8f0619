/**
 * `npm run check`: types, lint, format and unit tests side by side, as two cores allow. Prints what failed, and how long each part took.
 * `npm run check -- sources format` checks these parts alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Longest first: each lane takes the next when it is free, so that both end at about the same time. What is kept makes the next run quicker. */
const PARTS: readonly (readonly [name: string, ...command: string[]])[] = [
  ['sources', 'node', 'tools/sources.ts'],
  ['unit', 'vitest', 'run', '--project', 'unit', '--silent=passed-only'],
  [
    ...(['format', 'prettier', '--check', '--log-level', 'warn'] as const),
    ...['--cache', '--cache-location', 'node_modules/.cache/prettier/check', '.'],
  ],
];
const LANES = 2;

const wanted = process.argv.slice(2);
for (const name of wanted) {
  const known = PARTS.map(([part]) => part);
  if (!known.includes(name))
    throw new Error(`Cannot check "${name}": no such part; there are ${known.join(', ')}`);
}
const waiting = PARTS.filter(([part]) => wanted.length === 0 || wanted.includes(part));
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

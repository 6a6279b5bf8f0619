import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { buildProgram } from './built.ts';

/**
 * `npm run drill -- …`: `bbx drill` with the program as it is published, built for this run. From sources each of the hundreds of programs that a
 * drill starts would read and strip them anew, which is half of what a round costs.
 */
const DEFAULTS = ['--rounds', '1000', '--jobs', '4'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

using built = buildProgram();
const child = spawn(built.node, [built.bin, 'drill', ...DEFAULTS, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
// From a terminal it has the signal already, and takes the two for one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
const [code] = (await once(child, 'exit')) as [number | null];
process.exitCode = code ?? 1;

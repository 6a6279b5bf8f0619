import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../rigs/wait.ts';

const RIG = join(import.meta.dirname, '../rigs/leftovers.ts');

/** A run of tests: starts a program in a session of its own, whose child does not listen to TERM, and says their numbers. */
const RUN = `
const { tieProcesses } = await import(${JSON.stringify(RIG)});
const { spawn } = await import('node:child_process');
tieProcesses();
spawn('sh', ['-c', 'sh -c "trap \\"\\" TERM; echo \\\\$\\\\$; exec sleep 1000" & echo $$; wait'], { detached: true, stdio: 'inherit' });
process.on('SIGINT', () => process.exit(1));
`;

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
  'a run of tests that ends by %s leaves no program running, whatever that does',
  async (signal) => {
    const run = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', RUN], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    run.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const pids = await until('two programs', () => {
      const numbers = said.trim().split('\n').map(Number);
      return numbers.length === 2 && numbers.every((pid) => pid > 0) && numbers;
    });
    expect(pids.every(isAlive)).toBe(true);
    run.kill(signal);
    await once(run, 'exit');
    await until('the end of both', () => !pids.some(isAlive));
  },
);

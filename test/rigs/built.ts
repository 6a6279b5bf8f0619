import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The program as it is published, built into a directory of its own that every user may read, with the Node that runs it. */
export function buildProgram(): { bin: string; node: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'bbx-built-'));
  chmodSync(dir, 0o755);
  // Straight into it: two test runs in one checkout would remove each other's `dist`.
  const args = ['tools/build.ts', join(dir, 'dist')];
  execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const part of ['bin', 'package.json']) cpSync(join(root, part), join(dir, part), { recursive: true });
  // A checkout may stand where only its owner gets through, as a farm's workspace does.
  cpSync(process.execPath, join(dir, 'node'));
  return {
    bin: join(dir, 'bin', 'bbx'),
    node: join(dir, 'node'),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/**
 * Vitest's global set-up: whole programs are tested as they are published, which also start in a fifth of the time. `BBX_BIN=bin/bbx` runs the
 * sources instead, whose stacks are easier to read.
 */
export default function useBuiltProgram(): (() => void) | undefined {
  if (process.env['BBX_BIN'] !== undefined) return undefined;
  const built = buildProgram();
  process.env['BBX_BIN'] = built.bin;
  process.env['BBX_NODE'] = built.node;
  return () => built[Symbol.dispose]();
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program of this folder, ended with its block. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Resolves with the first line of its output for which `wanted` gives true, past or future. */
  line(wanted: (line: string) => boolean): Promise<string>;
}

export function startChild(program: string, args: readonly string[], input = ''): Child {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin?.write(input);
  const lines: string[] = [];
  let tell = () => undefined as void;
  createInterface({ input: child.stdout! }).on('line', (line) => {
    lines.push(line);
    tell();
  });
  child.once('close', () => tell());
  return {
    pid: child.pid!,
    async line(wanted) {
      for (;;) {
        const found = lines.find(wanted);
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
        await new Promise<void>((resolve) => (tell = resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const closed = once(child, 'close');
      child.stdin?.end();
      await closed;
    },
  };
}

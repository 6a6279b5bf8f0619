import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SAME_WISH_MS } from '../../src/commands/terminal/context.ts';
import { MARKER_VARIABLE } from '../../src/exec/marker.ts';

/** A Node that other users may run, too. */
const NODE_FOR_ALL = process.env['BBX_NODE'] ?? process.execPath;
export const BIN = process.env['BBX_BIN'] ?? fileURLToPath(new URL('../../bin/bbx', import.meta.url));

export interface RunOptions {
  cwd: string;
  env?: Record<string, string | undefined>;
  input?: string;
  /** The command is killed after this; a test that meets it fails with what was printed. */
  limitMs?: number;
  uid?: number;
  gid?: number;
  /** Words before the command that make it run elsewhere, in a directory: those of a lab host. */
  within?: (cwd: string) => readonly string[];
}

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
  /** stdout parsed; throws with what was printed when it is not JSON. */
  json<Value = unknown>(): Value;
}

/** Runs `bin/bbx` with `args` to its end, without a terminal. */
export async function bbx(args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = launch(args, options);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.stdin?.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? 30_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return {
    code,
    stdout: stdout(),
    stderr: stderr(),
    json() {
      try {
        return JSON.parse(stdout()) as never;
      } catch (cause) {
        throw new Error(`bbx ${args.join(' ')} gave no JSON (exit ${code}): ${stdout()}${stderr()}`, {
          cause,
        });
      }
    },
  };
}

/** Runs `bin/bbx` and fails, with everything that it printed, when its exit code is another. */
export async function bbxOk(args: readonly string[], options: RunOptions & { code?: number }): Promise<Ran> {
  const ran = await bbx(args, options);
  if (ran.code !== (options.code ?? 0)) {
    throw new Error(`bbx ${args.join(' ')} ended with ${ran.code}:\n${ran.stdout}${ran.stderr}`);
  }
  return ran;
}

export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  /** All output so far, both streams. */
  output(): string;
  /** What came on stdout alone. */
  stdout(): string;
  /** The first match in the output, past or future. Fails after `limitMs`, or when the program ends first. */
  waitFor(pattern: RegExp, limitMs?: number): Promise<RegExpExecArray>;
  /** Resolves with the exit code, or the negative number of the signal that ended it. */
  readonly ended: Promise<number>;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals, limitMs?: number): Promise<number>;
}

/** Starts a long-living `bin/bbx`; at the end of its block it is ended with TERM, TERM again (builds too), then KILL. */
export function startBbx(args: readonly string[], options: RunOptions): Program {
  const child = launch(args, options);
  let text = '';
  const listeners = new Set<() => void>();
  const onText = (chunk: Buffer) => {
    text += chunk.toString();
    for (const listener of listeners) listener();
  };
  const stdout = collect(child.stdout);
  child.stdout?.on('data', onText);
  child.stderr?.on('data', onText);
  child.stdin?.end();
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code ?? (signal === 'SIGKILL' ? -9 : -15));
      for (const listener of listeners) listener();
    });
  });
  const running = () => child.exitCode === null && child.signalCode === null;

  const program: Program = {
    child,
    ended,
    output: () => text,
    stdout,
    waitFor(pattern, limitMs = 20_000) {
      return new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        const fail = (why: string) => {
          finish();
          reject(new Error(`bbx ${args.join(' ')}: ${why} while waiting for ${pattern}:\n${text}`));
        };
        const look = () => {
          const match = pattern.exec(text);
          if (match !== null) {
            finish();
            resolve(match);
          } else if (!running()) fail(`ended with ${child.exitCode ?? child.signalCode}`);
        };
        const timer = setTimeout(() => fail(`${limitMs} ms passed`), limitMs);
        listeners.add(look);
        look();
      });
    },
    async end(signal = 'SIGTERM', limitMs = 15_000) {
      if (running()) child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
    async [Symbol.asyncDispose]() {
      // A worker waits for its builds; those that a test leaves are to end with it.
      const again = setTimeout(() => child.kill('SIGTERM'), 2 * SAME_WISH_MS);
      await program.end('SIGTERM', 10_000);
      clearTimeout(again);
    },
  };
  return program;
}

function launch(args: readonly string[], options: RunOptions): ChildProcess {
  const inherited = Object.entries(process.env).filter(
    // The marker of the run stays: what a killed run leaves is found by it.
    ([name]) => name === MARKER_VARIABLE || !/^(BBX_|NODE_OPTIONS$|VITEST|TEST$)/.test(name),
  );
  const [program = '', ...words] = [
    ...(options.within?.(options.cwd) ?? []),
    options.uid === undefined ? process.execPath : NODE_FOR_ALL,
    BIN,
    ...args,
  ];
  return spawn(program, words, {
    cwd: options.cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

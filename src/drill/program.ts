import { spawn, type ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import { sleep } from '../base/abort.ts';

/** How bbx is started: the Node and the program that run this drill. */
export interface BbxCommand {
  node: string;
  bin: string;
}

/** One running `bbx`, in a process group of its own, so that a Ctrl-C at the terminal is the drill's alone. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  readonly running: boolean;
  /** Exit code, or the negative number of the signal that ended it. */
  readonly ended: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** Sends a signal and waits for the end; after `limitMs` with KILL. */
  end(signal: NodeJS.Signals, limitMs: number): Promise<number>;
}

export interface Launch {
  /** Words before the command: those that enter a namespace. */
  within: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** File that gets all output. */
  output: string;
}

/** A long-living bbx whose output goes to a file. */
export async function startProgram(
  bbx: BbxCommand,
  args: readonly string[],
  launch: Launch,
): Promise<Program> {
  await using file = await open(launch.output, 'a', 0o600);
  const child = spawnBbx(bbx, args, launch, ['ignore', file.fd, file.fd]);
  const ended = endOf(child);
  const running = () => child.exitCode === null && child.signalCode === null;
  const program: Program = {
    pid: child.pid ?? 0,
    get running() {
      return running();
    },
    ended,
    kill: (signal) => void (running() && child.kill(signal)),
    async end(signal, limitMs) {
      program.kill(signal);
      const timer = setTimeout(() => program.kill('SIGKILL'), limitMs);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
    async [Symbol.asyncDispose]() {
      await program.end('SIGKILL', 1_000);
    },
  };
  return program;
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** A command that ends by itself. */
export async function runBbx(
  bbx: BbxCommand,
  args: readonly string[],
  launch: Omit<Launch, 'output'> & { input?: string; limitMs: number },
): Promise<Ran> {
  const child = spawnBbx(bbx, args, launch, ['pipe', 'pipe', 'pipe']);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  // A command that ends without reading leaves a broken pipe, which is its exit code's to explain.
  child.stdin?.on('error', () => undefined).end(launch.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), launch.limitMs);
  const code = await endOf(child);
  clearTimeout(timer);
  return { code, stdout: stdout(), stderr: stderr() };
}

function spawnBbx(
  { node, bin }: BbxCommand,
  args: readonly string[],
  { within, cwd, env }: Omit<Launch, 'output'>,
  stdio: ('pipe' | 'ignore' | number)[],
): ChildProcess {
  const [program = '', ...words] = [...within, node, bin, ...args];
  return spawn(program, words, { cwd, env, stdio, detached: true });
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? -9 : -15)));
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

/** Asks again and again until the answer is yes; rejects with `what` after `limitMs`. */
export async function until(
  what: string,
  limitMs: number,
  ask: () => Promise<boolean> | boolean,
  signal?: AbortSignal,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1_000} s`);
    await sleep(LOOK_MS, signal);
  }
}

/** Often enough that a second is measured well, seldom enough not to be the load itself. */
const LOOK_MS = 50;

import { execa } from 'execa';

/** More than any tool that is asked says in one page. */
const OUTPUT_LIMIT = 256 * 1024;

export interface Asked {
  /** null: it could not be started, or did not end by itself in time. */
  readonly exit: number | null;
  readonly stdout: string;
  /** Its last line of complaint, without a line break. */
  readonly complaint: string;
  /** The program is not installed. */
  readonly missing: boolean;
}

/** Asks a tool of the system that only looks (`systemctl show`, `ip link`): no input, English words, bounded time and output. Never rejects. */
export async function askTool(
  program: string,
  args: readonly string[],
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Asked> {
  const { stdout, stderr, exitCode, code } = await execa(program, args, {
    stdin: 'ignore',
    env: { LC_ALL: 'C' },
    timeout: options.timeoutMs,
    forceKillAfterDelay: 500,
    maxBuffer: OUTPUT_LIMIT,
    reject: false,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  return {
    exit: exitCode ?? null,
    stdout,
    complaint: stderr.trim().split('\n').at(-1) ?? '',
    missing: code === 'ENOENT',
  };
}

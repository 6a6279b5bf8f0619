import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { BIN } from './bbx.ts';

const LIMIT_MS = 60_000;

/** What is missing for a terminal of one's own; undefined: nothing. */
export function wantOfTerminal(): string | undefined {
  try {
    execFileSync('script', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'script (util-linux) is not here, which makes terminals';
  }
}

/**
 * Runs `bin/bbx` in a terminal of its own and types: each text as soon as what it waits for has been shown since the one before. Gives the exit code
 * and all that was shown, without colours and the moves of the cursor.
 */
export async function onTerminal(
  args: readonly string[],
  { cwd, types }: { cwd: string; types: readonly (readonly [after: RegExp, text: string])[] },
): Promise<{ code: number | null; shown: string }> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(BBX_|NODE_OPTIONS$|VITEST|TEST$|CI$)/.test(name),
  );
  const words = [
    '-c',
    'exec script -qefc "stty cols 120; ${*@Q}" /dev/null',
    'bash',
    process.execPath,
    BIN,
    ...args,
  ];
  const child = spawn('bash', words, {
    cwd,
    env: { ...Object.fromEntries(inherited), TERM: 'xterm', NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let from = 0;
  const waiting = [...types];
  child.stdout.on('data', (chunk: Buffer) => {
    shown += stripVTControlCharacters(chunk.toString());
    const [next] = waiting;
    if (next === undefined || !next[0].test(shown.slice(from))) return;
    waiting.shift();
    from = shown.length;
    child.stdin.write(next[1]);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  if (waiting.length > 0) throw new Error(`bbx ${args.join(' ')} never showed ${waiting[0]![0]}:\n${shown}`);
  return { code, shown };
}

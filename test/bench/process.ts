import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs Node with these words to its end; fails when it does. */
export async function ended(args: string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { figure, spread, timed, type Figure } from '../figure.ts';

const RUNS = 20;

/** `bbx --version` and `bbx --help` as whole processes, beside `node -e 0`. */
export async function startUp(bin: string): Promise<Figure[]> {
  const bare = await timed(RUNS, () => ended(['-e', '0']));
  const figures: Figure[] = [];
  for (const flag of ['--version', '--help']) {
    // The first run fills the compile cache, as the first use after an installation does.
    await ended([bin, flag]);
    const own = await timed(RUNS, () => ended([bin, flag]));
    figures.push(figure(`bbx ${flag}`, 'ms', spread(own), 'node -e 0', spread(bare)));
  }
  return figures;
}

async function ended(args: string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
}

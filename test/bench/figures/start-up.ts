import { figure, inTurn, type Figure } from '../figure.ts';
import { ended } from '../process.ts';

const RUNS = 20;

/** `bbx --version` and `bbx --help` as whole processes, beside `node -e 0`. */
export async function startUp(bin: string): Promise<Figure[]> {
  // The first run fills the compile cache, as the first use after an installation does.
  for (const flag of ['--version', '--help']) await ended([bin, flag]);
  const { bare, ...own } = await inTurn(RUNS, {
    bare: () => ended(['-e', '0']),
    '--version': () => ended([bin, '--version']),
    '--help': () => ended([bin, '--help']),
  });
  return Object.entries(own).map(([flag, spread]) =>
    figure(`bbx ${flag}`, 'ms', spread, 'node -e 0', bare, { reach: { atMost: 2 } }),
  );
}

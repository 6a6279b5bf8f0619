/**
 * `npm run bench`: figures, each beside a yardstick of the same run. A table on stderr, JSON on stdout; nothing passes or fails here. It
 * measures the built program, so it builds first.
 */
import { buildProgram } from '../rigs/built.ts';
import type { Figure } from './figure.ts';

using built = buildProgram();
// Read by test/rigs/bbx.ts when it is loaded, so the figures are imported after it is set.
const { bin } = built;
process.env['BBX_BIN'] = bin;

const { startUp } = await import('./figures/start-up.ts');
const { forcedBuild } = await import('./figures/forced-build.ts');
const { bigLog } = await import('./figures/big-log.ts');

const wanted = process.argv.slice(2);
const all: Record<string, () => Promise<Figure[]>> = {
  'start-up': () => startUp(bin),
  'forced-build': forcedBuild,
  'big-log': bigLog,
};
const figures: Figure[] = [];
for (const [name, measure] of Object.entries(all)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const found of await measure()) {
    figures.push(found);
    const ratio = found.median / found.yardstick.median;
    const own = `${round(found.median)} ${found.unit} (${round(found.min)}–${round(found.max)}, ${found.runs} runs)`;
    process.stderr.write(
      `${found.name}: ${own}; ${found.yardstick.name}: ${round(found.yardstick.median)}; ratio ${round(ratio)}\n`,
    );
  }
}
process.stdout.write(`${JSON.stringify({ node: process.version, figures }, null, 2)}\n`);

function round(value: number): string {
  return value.toPrecision(3);
}

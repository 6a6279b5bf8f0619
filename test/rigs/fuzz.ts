import { numberValue } from '../../src/commands/terminal/values.ts';
import { fuzz } from './fuzz/series.ts';
import { heldMb } from './heap.ts';
import { toolCommand } from './tool-command.ts';

/**
 * `npm run fuzz -- --cases N --seed N [--from N]`: conversations of the worker protocol with something wrong in them, toward both ends, as
 * messages and as bytes. Ends with 1 when a session was left unanswered, a promise of the protocol was broken, something was thrown that
 * nobody caught, or memory has grown. `--from N --cases 1` repeats one case.
 */
const { seed, from, cases } = toolCommand('fuzz')
  .option('--cases <number>', 'how many', numberValue(1, 1e9), 100_000)
  .option('--seed <number>', 'the same seed makes the same cases', numberValue(0, 1e9), 1)
  .option('--from <number>', 'number of the first', numberValue(0, 1e9), 0)
  .parse()
  .opts<{ seed: number; from: number; cases: number }>();
/** Heap after a collection may differ by so much: caches, and the noise of the collector. */
const GROWTH_MB = 16;

const started = performance.now();
const processor = process.cpuUsage();
const warm = Math.min(cases, 5_000);
const first = await fuzz({ seed, from, to: from + warm });
const before = heldMb();
const second = await fuzz({
  ...{ seed, from: from + warm, to: from + cases },
  onCase(number) {
    const done = number - from;
    if (done % 20_000 > 0) return;
    const rate = done / ((performance.now() - started) / 1_000);
    const rssMb = process.memoryUsage.rss() / 2 ** 20;
    process.stderr.write(
      `${done} cases, ${rate.toFixed(0)}/s, heap ${heldMb().toFixed(1)} MB, resident ${rssMb.toFixed(0)} MB\n`,
    );
  },
});
const after = heldMb();
const seconds = (performance.now() - started) / 1_000;
const used = process.cpuUsage(processor);
const wrong = [...first.wrong, ...second.wrong];
if (after - before > GROWTH_MB)
  wrong.push(`the heap grew from ${before.toFixed(1)} to ${after.toFixed(1)} MB`);
const ended: Record<string, number> = { ...first.ended };
for (const [key, count] of Object.entries(second.ended)) ended[key] = (ended[key] ?? 0) + count;
const report = {
  ...{ seed, from, cases: first.cases + second.cases, seconds: Math.round(seconds) },
  processorSeconds: Math.round((used.user + used.system) / 1e6),
  perSecond: Math.round((first.cases + second.cases) / seconds),
  heapMb: { before: Number(before.toFixed(1)), after: Number(after.toFixed(1)) },
  residentMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
  ...{ ended, wrong },
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exitCode = wrong.length > 0 ? 1 : 0;

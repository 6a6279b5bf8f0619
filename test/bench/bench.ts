/**
 * `npm run bench`: figures, each beside a yardstick of the same run, and curves. A table on stderr, JSON on stdout; nothing passes or fails
 * here. It measures the built program, so it builds first. `npm run bench -- NAME…` measures those alone.
 */
import { availableParallelism, loadavg, totalmem, type as systemType } from 'node:os';
import { Argument, Option } from 'commander';
import { buildProgram } from '../rigs/built.ts';
import startShared from '../rigs/postgres.ts';
import { toolCommand } from '../rigs/tool-command.ts';
import { measures } from './measures.ts';
import { drawRecord } from './plot/draw.ts';
import { keepResults, readRecord, type Result } from './record.ts';
import { curveLines, figureLine } from './table.ts';

/** After this, nothing more is begun: what was measured by then is what there is. */
const LIMIT_MIN = { quick: 12, full: 60 };

const command = toolCommand('bench')
  .addArgument(new Argument('[names...]', 'what to measure (default: all)').choices(Object.keys(measures)))
  .option('--full', 'the whole ranges', false)
  .addOption(
    new Option('--store <kind>', 'what farms keep their rows in')
      .choices(['sqlite', 'postgres'])
      .default('sqlite'),
  )
  .option('--record', 'keep the results in docs/performance/measured.json, and draw', false)
  .option('--draw', 'draw what was kept, and measure nothing', false)
  .parse();
const wanted = command.args;
const options = command.opts<{ full: boolean; record: boolean; draw: boolean; store: string }>();
if (options.draw) await drawRecord(await readRecord());
else await measureAll();

async function measureAll(): Promise<void> {
  using built = buildProgram();
  const { full, store } = options;
  // Both are read by test/rigs when it is loaded, so the figures are imported after they are set.
  process.env['BBX_BIN'] = built.bin;
  process.env['BBX_TEST_STORE'] = store;
  const stopServer = store === 'postgres' ? await startShared() : undefined;
  const limitMs = (full ? LIMIT_MIN.full : LIMIT_MIN.quick) * 60_000;
  const results: Result[] = [];
  for (const [name, measure] of Object.entries(measures)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    if (performance.now() > limitMs) {
      process.stderr.write(`${name}: not measured, ${limitMs / 60_000} minutes are over\n`);
      continue;
    }
    const before = loadavg()[0]!;
    try {
      for (const found of await measure(full, built.bin)) {
        process.stderr.write(`${'curve' in found ? curveLines(found) : figureLine(found)}\n`);
        results.push({ ...found, store, ...conditions(before) });
      }
      if (options.record) await keepResults(results);
    } catch (error) {
      // What the others found is not to be lost with it.
      process.exitCode = 1;
      process.stderr.write(
        `${name}: not measured, ${error instanceof Error ? error.stack : String(error)}\n`,
      );
    }
  }
  process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  await stopServer?.();
  if (options.record) await drawRecord(await readRecord());
}

function conditions(before: number): Pick<Result, 'at' | 'node' | 'machine' | 'load'> {
  return {
    at: Math.round(Date.now() / 1000),
    node: process.version,
    machine: {
      system: systemType(),
      cpus: availableParallelism(),
      memoryGb: Math.round(totalmem() / 2 ** 30),
    },
    load: [before, loadavg()[0]!],
  };
}

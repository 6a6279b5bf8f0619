import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { numberValue } from '../../src/commands/terminal/values.ts';
import { cutPower } from './power/cuts.ts';
import { recordSession } from './power/session.ts';
import { toolCommand } from './tool-command.ts';

/**
 * `npm run power -- --cuts N --seed N`: records what a master asks of its disk while builds run (strace), and cuts the power at N moments: what was
 * not synced is kept, torn or lost at random. Ends with 1 when anything is gone that somebody had been told of, or damaged.
 */
const { cuts, seed, keep } = toolCommand('power')
  .option('--cuts <number>', 'how many moments', numberValue(1, 100_000), 200)
  .option('--seed <number>', 'the same seed draws the same moments of a record', numberValue(0, 1e9), 1)
  .option('--keep', 'leave the record and what was cut')
  .parse()
  .opts<{ cuts: number; seed: number; keep?: boolean }>();
const dir = await mkdtemp(join(tmpdir(), 'bbx-power-'));
try {
  const session = await recordSession(dir);
  const report = await cutPower(session, { dir, cuts, seed });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.wrong.length > 0 ? 1 : 0;
} finally {
  if (keep !== true) await rm(dir, { recursive: true, force: true });
}

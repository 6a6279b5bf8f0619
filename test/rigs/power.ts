import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cutPower } from './power/cuts.ts';
import { recordSession } from './power/session.ts';

/**
 * `npm run power -- --cuts N --seed N`: records what a master asks of its disk while builds run (strace), and cuts the power at N moments: what was
 * not synced is kept, torn or lost at random. Ends with 1 when anything is gone that somebody had been told of, or damaged.
 */
const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean' },
  },
});
const dir = await mkdtemp(join(tmpdir(), 'bbx-power-'));
try {
  const session = await recordSession(dir);
  const report = await cutPower(session, { dir, cuts: Number(values.cuts), seed: Number(values.seed) });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.wrong.length > 0 ? 1 : 0;
} finally {
  if (values.keep !== true) await rm(dir, { recursive: true, force: true });
}

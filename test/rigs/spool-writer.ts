/**
 * A program that writes a build into the spool of the directory argv[2] for as long as it lives, and tells on stdout what is certainly
 * written: to be killed. Byte n of the log is n modulo 251.
 */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openSpool } from '../../src/runtime/worker/spool.ts';
import { planOf } from './link-worker.ts';

const spool = await openSpool({
  dir: process.argv[2]!,
  limitBytes: 1 << 30,
  clock: systemClock,
  log: silentLog,
});
const lease = { build: 7, token: '1-00000000000000aa', epoch: 'e1', orphanAfter: null, plan: planOf(['a']) };
const build = await spool.create(lease);
await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/b' });
await build.journal.event({ type: 'stepStarted', at: 1, step: 0, name: 'a' });
const log = build.journal.log(0, 'stdio');
for (let at = 0, turn = 0; ; turn += 1) {
  const length = 1 + ((turn * 104_729) % 150_000);
  await log.write(
    'stdout',
    Uint8Array.from({ length }, (_, index) => (at + index) % 251),
  );
  at += length;
  process.stdout.write(`${at}\n`);
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { loadMaster } from '../../../src/config/master.ts';
import { startMaster } from '../../../src/runtime/master/start.ts';
import { recordedDisk } from '../../../src/drill/power/disk.ts';
import { layOut } from '../../../src/drill/power/lay-out.ts';
import { readTrace } from '../../../src/drill/power/trace.ts';
import { pick, seeded } from '../../../src/drill/random.ts';
import type { PowerSession } from './session.ts';
import { verifyCut } from './verify.ts';

export interface PowerReport {
  cuts: number;
  calls: number;
  syncs: number;
  /** Things that outsiders had been told of, over the whole session. */
  told: number;
  wrong: string[];
}

/** How close to a sync's end half of the cuts are, seconds: there the order of things shows. */
const CLOSE_S = 0.004;
const MOST_WRONG = 20;
/** A real master is started on each so-many-th cut. */
const START_EACH = 10;

/** Cuts the power of a recorded session at seeded moments, and looks at what is left each time. */
export async function cutPower(
  session: PowerSession,
  options: { dir: string; cuts: number; seed: number },
): Promise<PowerReport> {
  const calls = await readTrace(session.trace, session.root);
  const disk = await recordedDisk(session.base, session.root, calls);
  const random = seeded(options.seed);
  const wrong: string[] = [];
  let cuts = 0;
  for (; cuts < options.cuts && wrong.length < MOST_WRONG; cuts += 1) {
    const anywhere = disk.from + random() * (disk.to - disk.from);
    const time = random() < 0.5 ? anywhere : pick(random, disk.syncs) + (random() - 0.5) * CLOSE_S;
    const target = join(options.dir, `cut-${cuts}`);
    await layOut(disk.cut(time, random), session.base, target);
    try {
      const found = await verifyCut(target, session, time);
      wrong.push(...found.map((what) => `cut ${cuts} at ${(time - disk.from).toFixed(4)} s: ${what}`));
      if (cuts % START_EACH === 0) await starts(target);
    } catch (error) {
      wrong.push(`cut ${cuts} at ${(time - disk.from).toFixed(4)} s: ${String(error)}`);
    }
    await rm(target, { recursive: true, force: true });
  }
  return { cuts, calls: calls.length, syncs: disk.syncs.length, told: session.told.length, wrong };
}

/** The whole master starts on it, and ends. */
async function starts(dir: string): Promise<void> {
  const reloadConfig = async () => (await loadMaster(dir)).config;
  const master = await startMaster(await reloadConfig(), {
    ...{ dir, version: '0.0.0', file: join(dir, 'master.yaml'), clock: systemClock, random: Math.random },
    ...{ log: silentLog, env: process.env, reloadConfig },
  });
  await master.stop();
}

import { join } from 'node:path';
import { bbxOk } from '../../rigs/bbx.ts';
import { startFarm } from '../../rigs/farm.ts';
import { untilAttached } from '../attached-follower.ts';
import type { Curve } from '../figure.ts';
import { startChild } from '../light/child.ts';
import { spawnLoop, workOff, type WorkedOff } from '../queue.ts';
import { followRequests } from '../request-follower.ts';
import { queueCurves, WARM, type QueuePoint } from './over-slots.ts';

const RUNS = 3;
const BUILDS = 100;
/** Each worker is resumed by a call, which the master's time holds too: a small part of it with this many builds for each. */
const BUILDS_EACH = 5;

/** A queue worked off over the number of workers of one slot each, all of them light ones in one process. */
export async function overWorkers(amounts: readonly number[]): Promise<Curve[]> {
  const points: QueuePoint[] = [];
  for (const count of amounts) {
    const names = Array.from({ length: count }, (_, index) => `light-${index + 1}`);
    await using farm = await startFarm({
      config: `workers: { "light-*": {} }\nbuilders: { app: { steps: [ { run: ["true"] } ] } }\n`,
    });
    // A pattern is for two at least.
    const uses = String(Math.max(2, count));
    const joined = await bbxOk(
      ['worker', 'add', '--names', 'light-*', '--uses', uses, '--dir', farm.masterDir],
      { cwd: farm.dir },
    );
    await using _ = startChild('workers.ts', [join(farm.dir, 'light'), String(count)], joined.stdout);
    await untilAttached(farm.masterDir, { count, after: 0 });
    await using follower = followRequests(farm);
    const queue = { builders: ['app'], workers: names };
    await workOff(farm, follower, { ...queue, builds: WARM });
    const builds = Math.max(BUILDS, BUILDS_EACH * count);
    const rounds: WorkedOff[] = [];
    const bare: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      bare.push(await spawnLoop(builds, count));
      rounds.push(await workOff(farm, follower, { ...queue, builds }));
    }
    points.push({ x: count, rounds, bare });
  }
  return queueCurves('workers', points);
}

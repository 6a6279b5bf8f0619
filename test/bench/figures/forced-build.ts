import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startFarm } from '../../rigs/farm.ts';
import { followRequests } from '../request-follower.ts';
import { figure, spread, timed, type Figure } from '../figure.ts';

const RUNS = 30;

/** One forced build of `true` on an idle farm, from the request to its `build.finished`; beside spawning `true` from Node. */
export async function forcedBuild(): Promise<Figure[]> {
  await using farm = await startFarm({
    workers: ['w1'],
    config: `
workers: { w1: {} }
builders: { app: { workers: { names: [w1] }, steps: [ { run: ["true"] } ] } }
`,
  });
  await using follower = followRequests(farm);
  const own = await timed(RUNS, () => follower.build('app'));
  const bare = await timed(RUNS, () => once(spawn('true', { stdio: 'ignore' }), 'close'));
  return [figure('forced build of `true`', 'ms', spread(own), 'spawning `true`', spread(bare))];
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startFarm } from '../../rigs/farm.ts';
import { followRequests } from '../request-follower.ts';
import { figure, inTurn, type Figure } from '../figure.ts';

const RUNS = 30;
/** Builds before the first that counts: code is compiled and files are in the cache, as on a farm that runs. */
const WARM = 20;

/** One forced build of `true` on an idle farm, from the request to its `request.finished`; beside spawning `true` from Node. */
export async function forcedBuild(): Promise<Figure[]> {
  await using farm = await startFarm({
    workers: ['w1'],
    config: `
workers: { w1: {} }
builders: { app: { workers: { names: [w1] }, steps: [ { run: ["true"] } ] } }
`,
  });
  await using follower = followRequests(farm);
  for (let run = 0; run < WARM; run += 1) await follower.build('app');
  const { own, bare } = await inTurn(RUNS, {
    own: () => follower.build('app'),
    bare: () => once(spawn('true', { stdio: 'ignore' }), 'close'),
  });
  return [figure('forced build of `true`', 'ms', own, 'spawning `true`', bare, { reach: { atMost: 10 } })];
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startFarm } from '../../rigs/farm.ts';
import { inTurn, spread, timed, type Curve, type Point } from '../figure.ts';
import { writeHistory } from '../history-rows.ts';
import { followRequests } from '../request-follower.ts';

const RUNS = 15;

/** A forced build of `true` while so many requests of another builder wait for a worker that is not there. */
export async function dispatchLatency(sizes: readonly number[]): Promise<Curve[]> {
  await using farm = await startFarm({
    workers: ['w1'],
    config: `
workers: { w1: {}, away: {} }
builders:
  app: { workers: { names: [w1] }, steps: [ { run: ["true"] } ] }
  waiting: { workers: { names: [away] }, steps: [ { run: ["true"] } ] }
`,
  });
  const x = { name: 'requests that wait', unit: 'requests' };
  const curve = (name: string): Curve => ({
    curve: name,
    x,
    y: { name: 'request → finished', unit: 'ms' },
    points: [],
  });
  const build = curve('a forced build of `true`, over waiting requests');
  const submit = {
    ...curve('submitting a request, over waiting requests'),
    y: { name: 'time to answer', unit: 'ms' },
  };
  const bare: Point[] = [];
  let waiting = 0;
  for (const size of sizes) {
    await farm.master.end();
    const past = await writeHistory(farm.masterDir, { builds: 0, waiting: Math.max(0, size - waiting) });
    waiting = Math.max(size, waiting);
    await farm.startMaster();
    await using follower = followRequests(farm, past);
    await farm.ask('worker', 'show', 'w1', '--wait', 'attached');
    const found = await inTurn(RUNS, {
      own: () => follower.build('app'),
      bare: () => once(spawn('true', { stdio: 'ignore' }), 'close'),
    });
    build.points.push({ x: size, ...found.own });
    bare.push({ x: size, ...found.bare });
    const force = () => follower.client.call('startBuild', { body: { builder: 'waiting' } });
    submit.points.push({ x: size, ...spread(await timed(RUNS, force)) });
    waiting += RUNS;
  }
  return [{ ...build, yardstick: { name: 'spawning `true`', points: bare } }, submit];
}

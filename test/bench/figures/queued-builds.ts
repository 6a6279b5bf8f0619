import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startFarm } from '../../rigs/farm.ts';
import { followRequests } from '../request-follower.ts';
import { figure, spread, type Figure } from '../figure.ts';

const RUNS = 3;
const BUILDS = 500;
const SLOTS = 4;
/** A worker runs one build of a builder at a time, so there are as many builders as slots. */
const BUILDERS = Array.from({ length: SLOTS }, (_, index) => `b${index + 1}`);

/** Builds of `true` that all wait, worked off by one worker, four at a time; beside a loop that spawns `true`, four at a time. */
export async function queuedBuilds(): Promise<Figure[]> {
  const builder = (name: string) => `  ${name}: { workers: { names: [w1] }, steps: [ { run: ["true"] } ] }\n`;
  await using farm = await startFarm({
    workers: ['w1'],
    workerFlags: ['--max-builds', String(SLOTS)],
    config: `workers: { w1: {} }\nbuilders:\n${BUILDERS.map(builder).join('')}`,
  });
  await using follower = followRequests(farm);
  const own: number[] = [];
  const bare: number[] = [];
  // The first round warms up and does not count.
  for (let run = 0; run <= RUNS; run += 1) {
    bare.push(BUILDS / (await spawnLoop()));
    own.push(BUILDS / (await farmLoop(follower)));
  }
  return [
    figure(
      `${BUILDS} queued builds of \`true\`, ${SLOTS} at a time`,
      'builds/s',
      spread(own.slice(1)),
      'spawning `true` in a loop',
      spread(bare.slice(1)),
      { reach: { atLeast: 0.4 } },
    ),
  ];
}

/** Seconds from the moment in which the worker may take builds to the end of the last. */
async function farmLoop({ client, finished }: ReturnType<typeof followRequests>): Promise<number> {
  await client.call('pauseWorker', { params: { worker: 'w1' } });
  const ids: number[] = [];
  for (let index = 0; index < BUILDS; index += 1) {
    const builder = BUILDERS[index % SLOTS] ?? '';
    ids.push((await client.call('startBuild', { body: { builder } })).buildrequestid);
  }
  const start = performance.now();
  await client.call('resumeWorker', { params: { worker: 'w1' } });
  for (const id of ids) await finished(id);
  return (performance.now() - start) / 1000;
}

async function spawnLoop(): Promise<number> {
  const start = performance.now();
  let left = BUILDS;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await once(spawn('true', { stdio: 'ignore' }), 'close');
    }
  };
  await Promise.all(BUILDERS.map(lane));
  return (performance.now() - start) / 1000;
}

import { startFarm } from '../../rigs/farm.ts';
import { followRequests } from '../request-follower.ts';
import { figure, spread, type Figure } from '../figure.ts';
import { spawnLoop, workOff } from '../queue.ts';

const RUNS = 3;
const BUILDS = 500;
const SLOTS = 4;

/** A worker runs one build of a builder at a time, so a farm has as many builders as slots. */
export function slottedFarm(slots: number) {
  const builders = Array.from({ length: slots }, (_, index) => `b${index + 1}`);
  const builder = (name: string) => `  ${name}: { workers: { names: [w1] }, steps: [ { run: ["true"] } ] }\n`;
  const farm = startFarm({
    workers: ['w1'],
    workerFlags: ['--max-builds', String(slots)],
    config: `workers: { w1: {} }\nbuilders:\n${builders.map(builder).join('')}`,
  });
  return { farm, builders };
}

/** Builds of `true` that all wait, worked off by one worker, four at a time; beside a loop that spawns `true`, four at a time. */
export async function queuedBuilds(): Promise<Figure[]> {
  const { farm: starting, builders } = slottedFarm(SLOTS);
  await using farm = await starting;
  await using follower = followRequests(farm);
  const own: number[] = [];
  const bare: number[] = [];
  // The first round warms up and does not count.
  for (let run = 0; run <= RUNS; run += 1) {
    bare.push(await spawnLoop(BUILDS, SLOTS));
    own.push((await workOff(farm, follower, { builds: BUILDS, builders, workers: ['w1'] })).perSecond);
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

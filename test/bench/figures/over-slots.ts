import { followRequests } from '../request-follower.ts';
import { spread, type Curve } from '../figure.ts';
import { spawnLoop, workOff, type WorkedOff } from '../queue.ts';
import { slottedFarm } from './queued-builds.ts';

const RUNS = 3;
/** Builds of a round: a few seconds of the smallest farm. */
const BUILDS = 100;
/** Builds before the first that counts: code is compiled and files are in the cache. */
export const WARM = 20;

/** A queue worked off by one worker over its slots: builds a second beside the bare loop, and what each costs the master. */
export async function overSlots(amounts: readonly number[]): Promise<Curve[]> {
  const points: QueuePoint[] = [];
  for (const slots of amounts) {
    const { farm: starting, builders } = slottedFarm(slots);
    await using farm = await starting;
    await using follower = followRequests(farm);
    const queue = { builders, workers: ['w1'] };
    await workOff(farm, follower, { ...queue, builds: WARM });
    const rounds: WorkedOff[] = [];
    const bare: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      bare.push(await spawnLoop(BUILDS, slots));
      rounds.push(await workOff(farm, follower, { ...queue, builds: BUILDS }));
    }
    points.push({ x: slots, rounds, bare });
  }
  return queueCurves('slots', points);
}

/** One amount of slots or workers: rounds of the farm, and of the bare loop in turn with them. */
export interface QueuePoint {
  x: number;
  rounds: WorkedOff[];
  bare: number[];
}

export function queueCurves(what: 'slots' | 'workers', found: readonly QueuePoint[]): Curve[] {
  const x = { name: what, unit: what };
  const points = (values: (point: QueuePoint) => number[]) =>
    found.map((point) => ({ x: point.x, ...spread(values(point)) }));
  return [
    {
      curve: `builds a second over ${what}`,
      x,
      y: { name: 'builds of `true`', unit: 'builds/s' },
      points: points(({ rounds }) => rounds.map(({ perSecond }) => perSecond)),
      yardstick: { name: 'spawning `true` in a loop, as many at a time', points: points(({ bare }) => bare) },
    },
    {
      curve: `processor time of the master over ${what}`,
      x,
      y: { name: 'processor time for each build', unit: 'ms' },
      points: points(({ rounds }) => rounds.map(({ masterMs }) => masterMs)),
    },
  ];
}

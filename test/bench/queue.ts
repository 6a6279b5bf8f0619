import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Farm } from '../rigs/farm.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import type { RequestFollower } from './request-follower.ts';

/** How a queue was worked off. */
export interface WorkedOff {
  perSecond: number;
  /** Processor time of the master for each build, ms. */
  masterMs: number;
}

/** Queues builds while all `workers` are paused, and takes the time from the moment in which they may begin to the end of the last. */
export async function workOff(
  farm: Farm,
  { client, finished }: RequestFollower,
  queue: { builds: number; builders: readonly string[]; workers: readonly string[] },
): Promise<WorkedOff> {
  const { builds, builders, workers } = queue;
  const all = (call: 'pauseWorker' | 'resumeWorker') =>
    Promise.all(workers.map((worker) => client.call(call, { params: { worker } })));
  await all('pauseWorker');
  const ids: number[] = [];
  for (let index = 0; index < builds; index += 1) {
    const builder = builders[index % builders.length] ?? '';
    ids.push((await client.call('startBuild', { body: { builder } })).buildrequestid);
  }
  const pid = farm.master.child.pid!;
  const cpu = cpuSecondsOf(pid);
  const start = performance.now();
  await all('resumeWorker');
  for (const id of ids) await finished(id);
  const seconds = (performance.now() - start) / 1_000;
  return { perSecond: builds / seconds, masterMs: ((cpuSecondsOf(pid) - cpu) * 1_000) / builds };
}

/** The yardstick of queues: programs a second of a loop that spawns `true`, so many at a time. */
export async function spawnLoop(programs: number, atOnce: number): Promise<number> {
  const start = performance.now();
  let left = programs;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await once(spawn('true', { stdio: 'ignore' }), 'close');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return programs / ((performance.now() - start) / 1_000);
}

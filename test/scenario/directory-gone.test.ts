import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { workerMarker } from '../../src/runtime/worker/workspace.ts';
import { findProcesses } from '../../src/exec/processes.ts';
import { startFarm, type Farm } from '../rigs/farm.ts';
import { until } from '../rigs/wait.ts';

/** The product promises a minute; a busy machine gets another. */
const LIMIT_MS = 120_000;

const CONFIG = `
workers: { w1: {} }
builders: { app: { workers: { names: [w1] }, steps: [ { name: long, run: 'echo here; exec sleep 1000' } ] } }
`;

const own = () => [process.geteuid?.() ?? 0];
const commandsOf = (farm: Farm) =>
  findProcesses({ marker: workerMarker(join(farm.dir, 'w1', 'builds')), uids: own() });
const pidIn = async (path: string) => Number(await readFile(path, 'utf8'));
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A build that runs; the process numbers of its worker's keeper. */
async function begin(farm: Farm): Promise<{ keeper: number }> {
  await farm.ask('build', 'start', 'app');
  await farm.printed('app', 'here\n');
  expect(commandsOf(farm)).not.toEqual([]);
  return { keeper: await pidIn(join(farm.dir, 'w1', '.bbx', 'keeper.lock.pid')) };
}

// Side by side: programs look at their directories every ten seconds, and all that these tests do meanwhile is to wait for it.
describe.concurrent('a program whose directory is gone says so and ends with 6', { timeout: 200_000 }, () => {
  it('a worker, with its keeper and the commands of its builds, and its build runs again elsewhere', async () => {
    await using farm = await startFarm({ workers: ['w1'], config: CONFIG });
    const { keeper } = await begin(farm);
    await rm(join(farm.dir, 'w1'), { recursive: true });
    const worker = farm.workers.get('w1')!;
    const said = await worker.waitFor(/Cannot go on in directory "([^"]*)"/, LIMIT_MS);
    expect(said[1]).toBe(join(farm.dir, 'w1'));
    expect(await worker.ended).toBe(6);
    expect(worker.output()).not.toMatch(/fault of bbx/);
    await until('the end of keeper and commands', () => !isAlive(keeper) && commandsOf(farm).length === 0);
    const build = await farm.ask<BuildObject>('build', 'show', 'app/1');
    expect(build.result ?? 'retry').toBe('retry');
  });

  it('a keeper whose worker was killed', async () => {
    await using farm = await startFarm({ workers: ['w1'], config: CONFIG });
    const { keeper } = await begin(farm);
    await farm.workers.get('w1')?.end('SIGKILL');
    expect(isAlive(keeper)).toBe(true);
    await rm(join(farm.dir, 'w1'), { recursive: true });
    await until('its end', () => !isAlive(keeper) && commandsOf(farm).length === 0, LIMIT_MS);
  });

  it.each<[string, (dir: string) => Promise<void>]>([
    ['was deleted', (dir) => rm(dir, { recursive: true })],
    ['has another name now', (dir) => rename(dir, `${dir}-old`)],
  ])('a master whose directory %s, and the worker goes on with its build', async (_, change) => {
    await using farm = await startFarm({ workers: ['w1'], config: CONFIG });
    await begin(farm);
    await change(farm.masterDir);
    await farm.master.waitFor(/Cannot go on in directory/, LIMIT_MS);
    expect(await farm.master.ended).toBe(6);
    expect(farm.master.output()).not.toMatch(/fault of bbx/);
    expect(commandsOf(farm)).not.toEqual([]);
  });
});

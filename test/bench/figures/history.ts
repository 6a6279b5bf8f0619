import { readFile } from 'node:fs/promises';
import { startFarm } from '../../rigs/farm.ts';
import { bareAnswers } from '../bare-answer.ts';
import { spread, timed, type Curve, type Point } from '../figure.ts';
import { writeHistory } from '../history-rows.ts';
import { followRequests } from '../request-follower.ts';

const RUNS = 15;

/** What a master answers, how long it takes to start, and its memory, over the number of builds that it remembers. */
export async function history(sizes: readonly number[]): Promise<Curve[]> {
  await using farm = await startFarm({
    workers: ['w1'],
    config: `
workers: { w1: {} }
builders: { app: { workers: { names: [w1] }, steps: [ { run: ["true"] } ] } }
retention: { builds: off }
`,
  });
  const x = { name: 'builds in the store', unit: 'builds' };
  const curve = (name: string, y: Curve['y']): Curve => ({ curve: name, x, y, points: [] });
  const ms = { name: 'time to answer', unit: 'ms' };
  const curves = {
    start: curve('master start → answers, over history', { name: 'time to start', unit: 'ms' }),
    memory: curve('memory of the master over history', { name: 'memory (RSS)', unit: 'MB' }),
    build: curve('a forced build of `true`, over history', { name: 'request → finished', unit: 'ms' }),
    list: curve('build list, over history', ms),
    builder: curve('build list of one builder, over history', ms),
    open: curve('build list of what is not complete, over history', ms),
    status: curve('status, over history', ms),
    why: curve('why BUILD, over history', ms),
  };
  const bare: Point[] = [];
  let builds = 0;
  for (const size of sizes) {
    await farm.master.end();
    const past = await writeHistory(farm.masterDir, { builds: size - builds });
    builds = size;
    bare.push({ x: size, ...spread(await bareAnswers(RUNS)) });
    const add = (to: Curve, values: number[]) => to.points.push({ x: size, ...spread(values) });
    add(curves.start, await timed(1, () => farm.startMaster()));
    await using follower = followRequests(farm, past);
    const { client } = follower;
    await farm.ask('worker', 'show', 'w1', '--wait', 'attached');
    add(curves.build, await timed(RUNS, () => follower.build('app')));
    add(curves.list, await timed(RUNS, () => client.call('builds', { query: {} })));
    add(curves.builder, await timed(RUNS, () => client.call('builds', { query: { builder: 'app' } })));
    add(curves.open, await timed(RUNS, () => client.call('builds', { query: { complete: 'false' } })));
    add(curves.status, await timed(RUNS, () => client.call('status', {})));
    add(curves.why, await timed(RUNS, () => client.call('why', { params: { subject: `app/${size / 2}` } })));
    const status = await readFile(`/proc/${farm.master.child.pid}/status`, 'utf8');
    add(curves.memory, [Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024]);
  }
  const yardstick = { name: 'a bare server behind a unix socket', points: bare };
  return Object.values(curves).map((found) => (found.y === ms ? { ...found, yardstick } : found));
}

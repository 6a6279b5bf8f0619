import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openClient } from '../../../src/client/client.ts';
import { controlSocket } from '../../../src/config/layout.ts';
import { startFarm } from '../../rigs/farm.ts';
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
  await using client = openClient({
    socket: controlSocket(farm.masterDir, process.env),
    dir: farm.masterDir,
  });
  const stop = new AbortController();
  const finished = new Map<number, () => void>();
  const follower = (async () => {
    for await (const { event } of client.events({ after: 0, signal: stop.signal })) {
      if (event.type === 'request.finished') finished.get(event.buildrequestid)?.();
    }
  })();
  const own = await timed(RUNS, async () => {
    const request = await client.call('startBuild', { body: { builder: 'app' } });
    await new Promise<void>((resolve) => finished.set(request.buildrequestid, resolve));
  });
  stop.abort();
  await follower.catch(() => undefined);
  const bare = await timed(RUNS, () => once(spawn('true', { stdio: 'ignore' }), 'close'));
  return [figure('forced build of `true`', 'ms', spread(own), 'spawning `true`', spread(bare))];
}

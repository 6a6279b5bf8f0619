import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { BuildObject } from '../../../src/api/objects.ts';
import { createFarmKey, selfSignedCertificate } from '../../../src/net/tls/certificate.ts';
import { startFarm, type Farm } from '../../rigs/farm.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { figure, spread, type Curve, type Figure } from '../figure.ts';
import { memoryOf } from '../process-memory.ts';
import { followRequests, type RequestFollower } from '../request-follower.ts';

const RUNS = 3;
const LINES = 1_000_000;
const LINE = 'x'.repeat(79);
const LINE_BYTES = LINE.length + 1;
const MB = 1e6;
/** The steps of a worker that may print at once. */
const MOST_AT_ONCE = 50;

const printing = (lines: number) => ['sh', '-c', `yes ${LINE} | head -n ${lines}`];

/** A worker with so many builders whose one step prints `lines` lines. */
export function farmOf(builders: number, lines: number): Promise<Farm> {
  const builder = (index: number) =>
    `  app${index}: { workers: { names: [w1] }, steps: [ { name: print, run: ${JSON.stringify(printing(lines))} } ] }\n`;
  return startFarm({
    workers: ['w1'],
    workerFlags: ['--max-builds', String(builders)],
    config: `workers: { w1: {} }\nbuilders:\n${Array.from({ length: builders }, (_, index) => builder(index)).join('')}`,
  });
}

/**
 * A step that prints a million lines of 80 bytes, from its start to the end of its request, when all of it is on the master's disk; beside
 * the same pipe sent through a bare `ws` socket into a file, plain and inside TLS. And the most memory that the master held.
 */
export async function bigLog(): Promise<Figure[]> {
  await using farm = await farmOf(1, LINES);
  await using follower = followRequests(farm);
  const own: number[] = [];
  const bare: number[] = [];
  const secured: number[] = [];
  const before = memoryOf(farm.master.child.pid!).now;
  // The first run warms up and does not count.
  for (let run = 0; run <= RUNS; run += 1) {
    own.push(rate(LINES, await secondsOf(farm, follower, [0], run + 1, LINES)));
    bare.push(rate(LINES, await throughBareSocket()));
    secured.push(rate(LINES, await throughBareSocket(true)));
  }
  const { peak } = memoryOf(farm.master.child.pid!);
  const name = `a log of ${LINES} lines of ${LINE_BYTES} bytes`;
  const measured = spread(own.slice(1));
  return [
    figure(name, 'MB/s', measured, 'the pipe through `ws` into a file', spread(bare.slice(1)), {
      reach: { atLeast: 0.65 },
    }),
    figure(name, 'MB/s', measured, 'the pipe through TLS and `ws` into a file', spread(secured.slice(1))),
    figure(
      `the most memory of the master with ${RUNS + 1} such logs`,
      'MB',
      spread([peak / MB]),
      'before',
      spread([before / MB]),
      { reach: { atMost: 150 }, reachOf: 'value' },
    ),
  ];
}

/** The most memory of master and worker over the size of one log, in MB. */
export async function overLogSize(sizes: readonly number[]): Promise<Curve[]> {
  const peaks: Record<string, Curve['points']> = { master: [], worker: [] };
  for (const size of sizes) {
    const lines = (size * MB) / LINE_BYTES;
    await using farm = await farmOf(1, lines);
    await using follower = followRequests(farm);
    await secondsOf(farm, follower, [0], 1, lines);
    const pids = { master: farm.master.child.pid!, worker: farm.workers.get('w1')!.child.pid! };
    for (const [who, pid] of Object.entries(pids))
      peaks[who]?.push({ x: size, ...spread([memoryOf(pid).peak / MB]) });
  }
  return Object.entries(peaks).map(([who, points]) => ({
    curve: `memory of the ${who} over log size`,
    x: { name: 'log size', unit: 'MB' },
    y: { name: 'most memory', unit: 'MB' },
    points,
  }));
}

/** Bytes a second of all logs together, over the number of steps that print at once; the same bytes each time. */
export async function overStepsAtOnce(amounts: readonly number[]): Promise<Curve[]> {
  const points: Curve['points'] = [];
  const bare: Curve['points'] = [];
  for (const amount of amounts.filter((amount) => amount <= MOST_AT_ONCE)) {
    const lines = Math.ceil((2 * LINES) / amount);
    await using farm = await farmOf(amount, lines);
    await using follower = followRequests(farm);
    const all = Array.from({ length: amount }, (_, index) => index);
    bare.push({ x: amount, ...spread([rate(LINES, await throughBareSocket())]) });
    points.push({
      x: amount,
      ...spread([rate(lines * amount, await secondsOf(farm, follower, all, 1, lines))]),
    });
  }
  return [
    {
      curve: 'log rate over steps at once',
      x: { name: 'steps at once', unit: 'steps' },
      y: { name: 'all logs together', unit: 'MB/s' },
      points,
      yardstick: { name: 'one pipe through `ws` into a file', points: bare },
    },
  ];
}

function rate(lines: number, seconds: number): number {
  return (lines * LINE_BYTES) / MB / seconds;
}

/** Seconds from the first step's start to the end of the last request. */
export async function secondsOf(
  farm: Farm,
  follower: RequestFollower,
  builders: readonly number[],
  number: number,
  lines: number,
): Promise<number> {
  const ends = await Promise.all(builders.map((index) => follower.build(`app${index}`)));
  let start = Infinity;
  for (const index of builders) {
    const build = await farm.ask<BuildObject>('build', 'show', `app${index}/${number}`);
    const step = build.steps?.[0];
    const bytes = step?.logs[0]?.bytes ?? 0;
    if (bytes < lines * LINE_BYTES) throw new Error(`the log of app${index} has ${bytes} bytes`);
    start = Math.min(start, step?.started_at ?? NaN);
  }
  return Math.max(...ends) - start;
}

/** Seconds for the same bytes from a pipe through one WebSocket on loopback into a file, and nothing else. */
async function throughBareSocket(tls = false): Promise<number> {
  await using dir = await tempDir();
  const key = createFarmKey();
  const http = tls ? createHttpsServer({ key, cert: selfSignedCertificate(key) }) : createHttpServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  http.listen(0, '::1');
  await once(http, 'listening');
  const stored = new Promise<void>((resolve) => {
    server.once('connection', (socket) => {
      const file = createWriteStream(join(dir.path, 'log'));
      socket.on('message', (data: Buffer) => file.write(data));
      socket.on('close', () => file.end(resolve));
    });
  });
  const { port } = http.address() as AddressInfo;
  const client = new WebSocket(`${tls ? 'wss' : 'ws'}://[::1]:${port}`, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
  });
  await once(client, 'open');
  const start = performance.now();
  const child = spawn('sh', printing(LINES).slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const chunk of child.stdout) {
    await new Promise<void>((resolve, reject) =>
      client.send(chunk as Buffer, (error) => (error ? reject(error) : resolve())),
    );
  }
  client.close();
  await stored;
  const seconds = (performance.now() - start) / 1000;
  server.close();
  http.close();
  return seconds;
}

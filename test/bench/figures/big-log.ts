import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { BuildObject } from '../../../src/api/objects.ts';
import { startFarm } from '../../rigs/farm.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { followRequests } from '../request-follower.ts';
import { figure, spread, type Figure } from '../figure.ts';

const RUNS = 3;
const LINES = 1_000_000;
const LINE = 'x'.repeat(79);
const BYTES = LINES * (LINE.length + 1);
const COMMAND = ['sh', '-c', `yes ${LINE} | head -n ${LINES}`];

/** A step that prints a million lines of 80 bytes, from its start to the end of its request, when all of it is on the master's disk; beside the same pipe sent through a bare `ws` socket into a file. */
export async function bigLog(): Promise<Figure[]> {
  await using farm = await startFarm({
    workers: ['w1'],
    config: `
workers: { w1: {} }
builders: { app: { workers: { names: [w1] }, steps: [ { name: print, run: ${JSON.stringify(COMMAND)} } ] } }
`,
  });
  await using follower = followRequests(farm);
  const own: number[] = [];
  const bare: number[] = [];
  for (let run = 1; run <= RUNS; run += 1) {
    const storedAt = await follower.build('app');
    const build = await farm.ask<BuildObject>('build', 'show', `app/${run}`);
    const step = build.steps?.[0];
    if (step?.logs[0] === undefined || step.logs[0].bytes < BYTES) throw new Error('the log is short');
    own.push(BYTES / 1e6 / (storedAt - (step.started_at ?? NaN)));
    bare.push(BYTES / 1e6 / (await throughBareSocket()));
  }
  return [
    figure(
      'a log of 1,000,000 lines of 80 bytes',
      'MB/s',
      spread(own),
      'the pipe through `ws` into a file',
      spread(bare),
    ),
  ];
}

/** Seconds for the same bytes from a pipe through one WebSocket on loopback into a file, and nothing else. */
async function throughBareSocket(): Promise<number> {
  await using dir = await tempDir();
  const server = new WebSocketServer({ host: '::1', port: 0 });
  await once(server, 'listening');
  const stored = new Promise<void>((resolve) => {
    server.once('connection', (socket) => {
      const file = createWriteStream(join(dir.path, 'log'));
      socket.on('message', (data: Buffer) => file.write(data));
      socket.on('close', () => file.end(resolve));
    });
  });
  const client = new WebSocket(`ws://[::1]:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
  });
  await once(client, 'open');
  const start = performance.now();
  const child = spawn('sh', COMMAND.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const chunk of child.stdout) {
    await new Promise<void>((resolve, reject) =>
      client.send(chunk as Buffer, (error) => (error ? reject(error) : resolve())),
    );
  }
  client.close();
  await stored;
  const seconds = (performance.now() - start) / 1000;
  server.close();
  return seconds;
}

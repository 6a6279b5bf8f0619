import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openClient } from '../../../src/client/client.ts';
import { parseJoin } from '../../../src/protocol/bbx/join.ts';
import { BIN, bbxOk } from '../bbx.ts';
import { fakeWorker } from '../master.ts';
import { until } from '../wait.ts';
import { keepBase } from './disk.ts';
import { STRING_BYTES, TRACED } from './trace.ts';

/** What somebody outside was told, and when (epoch seconds): from then on it must survive. */
export type Told = { at: number } & (
  | { kind: 'request'; id: number }
  | { kind: 'event'; id: number }
  | { kind: 'events'; build: number; sequence: number; over: boolean }
  | { kind: 'bytes'; build: number; bytes: number }
);

export interface PowerSession {
  /** The master's directory before the recorded start. */
  base: string;
  root: string;
  trace: string;
  told: Told[];
  /** What a log of any build begins with. */
  text: Buffer;
}

const now = () => (performance.timeOrigin + performance.now()) / 1_000;
const TEXT = Buffer.from(Array.from({ length: 30_000 }, (_, n) => `line ${n} of a log\n`).join(''));
const BUILDS = 24;

/** Runs a master under strace while builds run, and writes down what it says to workers and clients. */
export async function recordSession(dir: string): Promise<PowerSession> {
  const root = join(dir, 'master');
  const base = join(dir, 'base');
  const trace = join(dir, 'trace');
  await bbxOk(['create-master', root, '--name', 'power'], { cwd: dir });
  await writeFile(
    join(root, 'master.yaml'),
    'listen: { workers: "127.0.0.1:0", web: "127.0.0.1:0" }\nbuilders:\n  app: { steps: [ { name: step, run: make } ] }\n',
  );
  await keepBase(root, base);
  const words = [
    '-f',
    '-ttt',
    '-T',
    '-y',
    '-xx',
    '-s',
    String(STRING_BYTES),
    '-e',
    `trace=${TRACED.join(',')}`,
  ];
  const child = spawn('strace', [...words, '-o', trace, process.execPath, BIN, 'run', 'master', root], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Files by system calls that can be seen.
    env: { ...process.env, UV_USE_IO_URING: '0' },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit');
  const told: Told[] = [];
  const stop = new AbortController();
  try {
    await bbxOk(['status', '--wait', '30s', '--dir', root], { cwd: dir, limitMs: 60_000 });
    await using client = openClient({ socket: join(root, 'control.sock'), dir: root });
    const following = (async () => {
      for await (const { id } of client.events({ after: 0, signal: stop.signal }))
        told.push({ at: now(), kind: 'event', id });
    })();
    const { listening } = await client.call('status', {});
    const { join: invitation } = await client.call('addWorker', {
      body: { names: 'w1', expiresMs: 600_000 },
    });
    const { secret, pins } = parseJoin(invitation);
    const worker = await fakeWorker({
      ...{ name: 'w1', address: listening.workers[0]!, pins, secret: secret.reveal(), maxBuilds: 3 },
      onMessage(message) {
        if (message.type !== 'ack') return;
        const { build, sequence } = message;
        if (sequence > 0) told.push({ at: now(), kind: 'events', build, sequence, over: sequence === 4 });
        for (const { offset } of message.streams)
          told.push({ at: now(), kind: 'bytes', build, bytes: offset });
      },
    });
    const asking = (async () => {
      for (let count = 0; count < BUILDS; count += 1) {
        const { buildrequestid } = await client.call('startBuild', { body: { builder: 'app' } });
        told.push({ at: now(), kind: 'request', id: buildrequestid });
      }
    })();
    for (let count = 0; count < BUILDS; count += 1) {
      const assign = await worker.next('assign');
      const bytes = count % 5 === 0 ? TEXT.length : 100 + count * 1_000;
      worker.build(assign, TEXT.subarray(0, bytes).toString());
    }
    await asking;
    await until(
      'all ends',
      () => told.filter((one) => one.kind === 'events' && one.over).length >= BUILDS,
      60_000,
    );
    worker.leave();
    stop.abort();
    await following;
  } catch (error) {
    throw new Error(`the recorded master: ${output}`, { cause: error });
  } finally {
    // strace itself takes no TERM while it writes to a file: the program in it does.
    const [traced = ''] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).split(
      ' ',
    );
    process.kill(Number(traced), 'SIGTERM');
    await ended;
  }
  return { base, root, trace, told, text: TEXT };
}

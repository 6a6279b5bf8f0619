import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProgressEvent } from '../../../src/build/progress.ts';
import { openClient } from '../../../src/client/client.ts';
import { keepBase } from '../../../src/drill/power/lay-out.ts';
import { RECORD_ENV, recordWords } from '../../../src/drill/power/strace.ts';
import { processesOf } from '../../../src/drill/processes.ts';
import { parseJoin } from '../../../src/protocol/bbx/join.ts';
import { BIN, bbxOk } from '../bbx.ts';
import { fakeWorker } from '../master.ts';
import { until } from '../wait.ts';

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
/** Under the largest frame. */
const FRAME = 60_013;

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
  const [strace = '', ...words] = recordWords(trace);
  const child = spawn(strace, [...words, process.execPath, BIN, 'run', 'master', root], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...RECORD_ENV },
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
      const text = TEXT.subarray(0, bytes);
      if (count % 3 !== 0) {
        worker.build(assign, text.toString());
        continue;
      }
      // A step that goes on until its bytes are acknowledged.
      const lease = { build: assign.build, token: assign.token };
      const tell = (sequence: number, event: ProgressEvent) =>
        worker.send({ type: 'progress', ...lease, sequence, event });
      worker.send({ type: 'assigned', ...lease, accepted: true });
      tell(1, { type: 'buildStarted', at: 1, workdir: '/w' });
      tell(2, { type: 'stepStarted', at: 1, step: 0, name: 'step' });
      worker.send({ type: 'open', ...lease, stream: assign.build, step: 0, log: 'stdio', offset: 0 });
      for (let offset = 0; offset < bytes; offset += FRAME) {
        const payload = text.subarray(offset, offset + FRAME);
        worker.session.sendLog({ stream: assign.build, channel: 'stdout', offset, at: 1, payload });
      }
      await until('its bytes to be acknowledged', () =>
        told.some((one) => one.kind === 'bytes' && one.build === assign.build && one.bytes === bytes),
      );
      const sha256 = createHash('sha256').update(text).digest('hex');
      tell(3, {
        ...{ type: 'stepFinished', at: 3, step: 0, results: 0, state: 'finished', rc: 0, signal: null },
        ...{ logs: [{ name: 'stdio', bytes, sha256 }], properties: {} },
      });
      tell(4, { type: 'buildFinished', at: 4, results: 0, state: 'build successful' });
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
    child.kill('SIGTERM');
    await ended;
    await until('strace ends', () => processesOf(trace).length === 0);
  }
  return { base, root, trace, told, text: TEXT };
}

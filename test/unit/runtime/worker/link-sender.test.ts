import { expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import type { LogFrame } from '../../../../src/protocol/bbx/codec.ts';
import { LIMITS } from '../../../../src/protocol/bbx/limits.ts';
import type { WorkerSession } from '../../../../src/protocol/bbx/worker-session.ts';
import { startSender } from '../../../../src/runtime/worker/link-sender.ts';
import type { SpoolBuild } from '../../../../src/runtime/worker/spool-build.ts';
import { openSpool } from '../../../../src/runtime/worker/spool.ts';
import { planOf } from '../../../rigs/link-worker.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

it('what a resume says to be stored is freed: its acknowledgement was lost with the link, and a held-up log gets no other', async () => {
  await using dir = await tempDir();
  const limitBytes = 400_000;
  const spool = await openSpool({ dir: dir.path, limitBytes, clock: systemClock, log: silentLog });
  const token = '1-00000000000000aa';
  const build = await spool.create({ build: 7, token, epoch: 'e', orphanAfter: null, plan: planOf(['a']) });
  await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/w' });
  await build.journal.event({ type: 'stepStarted', at: 1, step: 0, name: 'a' });
  const log = build.journal.log(0, 'stdio');
  await log.write('stdout', Buffer.alloc(350_000));
  let more = false;
  const held = Promise.resolve(log.write('stdout', Buffer.alloc(60_000))).then(() => (more = true));
  // The line that says so is in the log.
  await expect.poll(() => build.logs[0]!.size).toBeGreaterThan(350_000);

  const session = {
    send: () => undefined,
    sendLog: () => undefined,
    unsent: 0,
    drained: async () => undefined,
    ended: false,
    end: new Promise(() => undefined),
  } as unknown as WorkerSession;
  const sender = startSender({ session, onUnfit: () => undefined, onDelivered: () => undefined });
  sender.add(build, { sequence: 2, logs: [{ step: 0, log: 'stdio', bytes: build.logs[0]!.size }] });
  await expect.poll(() => more).toBe(true);
  await held;
  await sender.stop();
  await spool.close();
});

it('a build that cannot be sent is told, and holds up no other', async () => {
  await using dir = await tempDir();
  const spool = await openSpool({ dir: dir.path, limitBytes: 1 << 20, clock: systemClock, log: silentLog });
  const made = await Promise.all(
    [7, 8].map(async (build) => {
      const lease = {
        build,
        token: '1-00000000000000aa',
        epoch: 'e',
        orphanAfter: null,
        plan: planOf(['a']),
      };
      const one = await spool.create(lease);
      await one.journal.event({ type: 'buildStarted', at: 1, workdir: '/w' });
      return one;
    }),
  );
  const sent: number[] = [];
  const unfit: string[] = [];
  const session = {
    send(message: { build: number }) {
      if (message.build === 7) throw new Error('5000000 bytes are over the limit');
      sent.push(message.build);
    },
    ...{ unsent: 0, drained: async () => undefined, ended: false, end: new Promise(() => undefined) },
  } as unknown as WorkerSession;
  const sender = startSender({
    session,
    onUnfit: ({ lease }, why) => unfit.push(`${lease.build}: ${why}`),
    onDelivered: () => undefined,
  });
  for (const build of made) sender.add(build, { sequence: 0, logs: [] });
  await expect.poll(() => [sent, unfit]).toEqual([[8], ['7: 5000000 bytes are over the limit']]);
  await sender.stop();
  await spool.close();
});

it('a stream that has said that it rests sends nothing more, also when that came while a read was being closed', async () => {
  const closing = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const size = LIMITS.creditBytes + 2;
  const pieces = [
    { channel: 'stdout', at: 1, offset: 0, payload: Buffer.alloc(1) },
    // More than there is credit for: its rest, and the file, are left.
    { channel: 'stdout', at: 1, offset: 1, payload: Buffer.alloc(size - 1) },
  ];
  const read = () => ({
    next: async () => ({ done: false, value: pieces.shift() }),
    return: () => {
      closing.resolve();
      return closed.promise;
    },
  });
  const events = [{ type: 'stepStarted', at: 1, step: 0, name: 'a' }];
  const lease = { build: 7, token: '1-00000000000000aa' };
  const build = {
    ...{ lease, sequence: 1, finished: false, event: (number: number) => events[number - 1] },
    logs: [{ id: 1, step: 0, name: 'stdio', base: 0, size, read }],
    ...{ watch: () => undefined, acknowledge: async () => undefined },
  } as unknown as SpoolBuild;
  const said: string[] = [];
  const session = {
    send: ({ type }: { type: string }) => void said.push(type),
    sendLog: ({ offset, payload }: LogFrame) => void said.push(`${offset}+${payload.length}`),
    ...{ unsent: 0, drained: async () => undefined, ended: false, end: new Promise(() => undefined) },
  } as unknown as WorkerSession;
  const sender = startSender({ session, onUnfit: () => undefined, onDelivered: () => undefined });
  sender.add(build, { sequence: 0, logs: [] });
  await closing.promise;
  sender.pause({ type: 'pause', ...lease, stream: 1 });
  const rested = said.indexOf('paused');
  expect(said.slice(0, 3)).toEqual(['progress', 'open', '0+1']);
  expect(rested).toBeGreaterThan(0);
  closed.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(said.slice(rested + 1)).toEqual([]);
  await sender.stop();
});

it('events that are large wait for the acknowledgement of those before, and the largest goes alone', async () => {
  const properties = { a: 'x'.repeat(LIMITS.creditEventBytes) };
  const end = { type: 'stepFinished', at: 1, step: 0, results: 0, state: '', logs: [], rc: 0, signal: null };
  const small = { type: 'stepStarted', at: 1, step: 0, name: 'a' };
  const events = [small, { ...end, properties }, small, small];
  const lease = { build: 7, token: '1-00000000000000aa' };
  const build = {
    ...{ lease, sequence: 4, finished: false, event: (number: number) => events[number - 1], logs: [] },
    ...{ watch: () => undefined, acknowledge: async () => undefined },
  } as unknown as SpoolBuild;
  const sent: number[] = [];
  const session = {
    send: ({ sequence }: { sequence: number }) => void sent.push(sequence),
    ...{ unsent: 0, drained: async () => undefined, ended: false, end: new Promise(() => undefined) },
  } as unknown as WorkerSession;
  const sender = startSender({ session, onUnfit: () => undefined, onDelivered: () => undefined });
  const turns = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return sent;
  };
  sender.add(build, { sequence: 0, logs: [] });
  expect(await turns()).toEqual([1]);
  sender.acknowledged({ type: 'ack', ...lease, sequence: 1, streams: [] });
  expect(await turns()).toEqual([1, 2]);
  sender.acknowledged({ type: 'ack', ...lease, sequence: 2, streams: [] });
  expect(await turns()).toEqual([1, 2, 3, 4]);
  await sender.stop();
});

it('an event that waits for credit is measured once, however many frames of other logs go by', async () => {
  let measured = 0;
  const state = { toJSON: () => void (measured += 1) };
  const large = { type: 'stepFinished', at: 1, step: 0, results: 0, logs: [], rc: 0, signal: null };
  const events = [
    { type: 'stepStarted', at: 1, step: 0, name: 'a' },
    { ...large, properties: { a: 'x'.repeat(LIMITS.creditEventBytes) }, state },
  ];
  const lease = { build: 7, token: '1-00000000000000aa' };
  const frames = 50;
  async function* read(from: number) {
    for (let offset = from; offset < frames; offset += 1)
      yield { channel: 'stdout', at: 1, offset, payload: Buffer.alloc(1) };
  }
  const build = {
    ...{ lease, sequence: 2, finished: false, event: (number: number) => events[number - 1] },
    logs: [{ id: 1, step: 0, name: 'stdio', base: 0, size: frames, read }],
    ...{ watch: () => undefined, acknowledge: async () => undefined },
  } as unknown as SpoolBuild;
  const sent: unknown[] = [];
  let bytes = 0;
  const session = {
    send: ({ sequence }: { sequence?: number }) => void sent.push(sequence ?? 'open'),
    sendLog: ({ payload }: LogFrame) => void (bytes += payload.length),
    ...{ unsent: 0, drained: async () => undefined, ended: false, end: new Promise(() => undefined) },
  } as unknown as WorkerSession;
  const sender = startSender({ session, onUnfit: () => undefined, onDelivered: () => undefined });
  sender.add(build, { sequence: 0, logs: [] });
  await expect.poll(() => bytes).toBe(frames);
  expect(sent).toEqual([1, 'open']);
  sender.acknowledged({ type: 'ack', ...lease, sequence: 1, streams: [] });
  await expect.poll(() => sent).toEqual([1, 'open', 2]);
  expect(measured).toBe(1);
  await sender.stop();
});

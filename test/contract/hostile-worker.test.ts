import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkerKey } from '../../src/protocol/bbx/keys.ts';
import type { Lease } from '../../src/protocol/bbx/lease.ts';
import { LIMITS } from '../../src/protocol/bbx/limits.ts';
import { begun, ended, frame, hostileFarm, open, type HostileFarm } from '../rigs/hostile-farm.ts';
import type { FakeWorker, TestMaster } from '../rigs/master.ts';
import { rawWorker, type RawWorker } from '../rigs/raw-worker.ts';
import { until } from '../rigs/wait.ts';

let farm: HostileFarm;
let rig: TestMaster;
let good: FakeWorker;
/** A build that runs at the good worker all the time. */
let victim: Lease;
let lines: HostileFarm['lines'];
const hostile = () => farm.hostile();

beforeAll(async () => {
  farm = await hostileFarm();
  ({ rig, good, victim, lines } = farm);
});
afterAll(() => farm[Symbol.asyncDispose]());

/** Nobody else has noticed: the good worker's build has exactly what it told, and its session lives. */
async function unharmed(): Promise<void> {
  const found = await rig.client.call('build', { params: { build: String(victim.build) } });
  expect(found).toMatchObject({
    complete: false,
    worker: 'good',
    steps: [{ name: 'step', complete: false }],
  });
  expect(await farm.victimLog()).toBe('hello\n');
  expect(good.ended).toBe(false);
}

describe('a worker that breaks the rules loses its session, with a line that names it, and nobody else notices', () => {
  it.each<[string, (raw: RawWorker, lease: Lease) => void, number, RegExp]>([
    [
      'leaves a hole in a log',
      (raw, lease) => {
        begun(raw, lease);
        open(raw, lease);
        frame(raw, 0);
        frame(raw, 5);
      },
      4000,
      /a hole/,
    ],
    [
      'begins a log in its middle',
      (raw, lease) => {
        begun(raw, lease);
        open(raw, lease, { offset: 7 });
      },
      4000,
      /from byte 7/,
    ],
    [
      'writes at the end of the numbers',
      (raw, lease) => {
        begun(raw, lease);
        open(raw, lease);
        frame(raw, 2 ** 53 - 3);
      },
      4000,
      /a hole/,
    ],
    ['uses a stream that it never opened', (raw) => frame(raw, 0, 'x', 77), 4000, /stream 77/],
    [
      'opens one stream twice',
      (raw, lease) => {
        begun(raw, lease);
        open(raw, lease);
        open(raw, lease);
      },
      4000,
      /twice/,
    ],
    [
      'opens streams without end',
      (raw, lease) => {
        begun(raw, lease);
        for (let stream = 0; stream <= LIMITS.streams; stream += 1)
          open(raw, lease, { stream, log: `l${stream}` });
      },
      4000,
      /more than \d+/,
    ],
    [
      'sends a frame without bytes',
      (raw) => raw.socket.sendBinary(Buffer.alloc(22)),
      4000,
      /without payload/,
    ],
    [
      'sends bytes of a step that never began',
      (raw, lease) => {
        open(raw, lease, { step: 1 });
        frame(raw, 0);
      },
      4000,
      /step 1, which does not run/,
    ],
    [
      'ends a step that never began',
      (raw, lease) => void begun(raw, lease)(3, ended(1)),
      4000,
      /the end of step 1/,
    ],
    [
      'begins steps that its plan does not have',
      (raw, lease) => {
        begun(raw, lease)(3, { type: 'stepStarted', at: 1, step: 2, name: 'three' });
      },
      4000,
      /step 2 of a build with 2 steps/,
    ],
    [
      'ends a step before its bytes have come',
      (raw, lease) => {
        begun(raw, lease)(3, ended(0, [{ name: 'stdio', bytes: 10, sha256: '' }]));
      },
      4000,
      /after 0 of them/,
    ],
    ['leaves out an event', (raw, lease) => begun(raw, lease)(9, ended(0)), 4000, /event 9/],
    [
      'counts more logs than there can be',
      (raw, lease) => {
        const logs = Array.from({ length: 20_000 }, (_, n) => ({ name: `l${n}`, bytes: 0, sha256: '' }));
        begun(raw, lease)(3, ended(0, logs));
      },
      4000,
      /logs/,
    ],
    [
      'rests a stream that it does not have',
      (raw, lease) => raw.say({ type: 'paused', ...lease, stream: 3 }),
      4000,
      /a pause of stream 3, which is not open/,
    ],
    [
      'rests a stream that nobody asked it to rest',
      (raw, lease) => {
        begun(raw, lease);
        open(raw, lease);
        frame(raw, 0);
        raw.say({ type: 'paused', ...lease, stream: 1 });
      },
      4000,
      /not asked for/,
    ],
    [
      'rests its own stream as one of another build',
      (raw, lease) => {
        begun(raw, lease);
        open(raw, lease);
        raw.say({ type: 'paused', ...victim, stream: 1 });
      },
      4000,
      /a pause of stream 1/,
    ],
    [
      'lets itself go on',
      (raw, lease) => raw.say({ type: 'proceed', ...lease, stream: 1, offset: 0 }),
      4000,
      /a message that cannot be/,
    ],
    [
      'says hello again',
      (raw) => raw.say({ type: 'hello', versions: [1], software: '', nonce: '' }),
      4000,
      /hello/,
    ],
    [
      'sends another inventory',
      (raw) => {
        raw.say({ type: 'inventory', maxBuilds: 1, facts: {}, draining: false, builds: [] });
      },
      4000,
      /inventory/,
    ],
    ['sends what is not JSON', (raw) => raw.socket.sendText('{"type":'), 4000, /not JSON/],
    ['sends a message of its own invention', (raw) => raw.say({ type: 'shutdown' }), 4000, /type/],
    [
      'sends a message that is too large',
      (raw) => raw.socket.sendText('x'.repeat(LIMITS.messageBytes + 1)),
      1009,
      /.*/,
    ],
    [
      'asks for echoes without end',
      (raw) => {
        for (let id = 0; id < 100; id += 1) raw.say({ type: 'echo', id, payload: 'AAAA' });
      },
      4001,
      /.*/,
    ],
  ])('one that %s', async (_, act, code, reason) => {
    const { raw, lease, name } = await hostile();
    act(raw, lease);
    const end = await raw.end;
    expect(end.reason).toMatch(reason);
    const line = await until('a line that names it', () =>
      lines.find(
        ({ level, text }) => level === 'warn' && text.includes(`"${name}"`) && text.includes(String(code)),
      ),
    );
    expect(line.level).toBe('warn');
    await unharmed();
  });
});

describe('a worker that lies is not believed, and nobody else notices', () => {
  it('one that speaks of a build of another worker is told once that it is not its own', async () => {
    const { raw } = await hostile();
    for (let times = 0; times < 50; times += 1) {
      raw.say({ type: 'progress', ...victim, sequence: 3, event: ended(0) });
      raw.say({ type: 'abandoned', ...victim, why: 'not mine' });
      raw.say({ type: 'assigned', ...victim, accepted: false, why: 'no' });
      raw.say({ type: 'open', ...victim, stream: 9, step: 0, log: 'stdio', offset: 0 });
    }
    raw.say({ type: 'echo', id: 5, payload: '' });
    await until('an answer', () => raw.got.some((message) => message.type === 'drop'));
    await unharmed();
    expect(raw.got.filter((message) => message.type === 'drop').length).toBeLessThan(3 + 50 * 2);
    raw.leave();
  });

  it('one with an old or invented token of its own build changes nothing', async () => {
    const { raw, lease } = await hostile();
    for (const token of [`9-${'0'.repeat(16)}`, `0-${'f'.repeat(16)}`])
      raw.say({ type: 'progress', build: lease.build, token, sequence: 1, event: ended(0) });
    await until('drops', () => raw.got.filter((message) => message.type === 'drop').length === 2);
    const found = await rig.client.call('build', { params: { build: String(lease.build) } });
    expect(found).toMatchObject({ complete: false });
    await unharmed();
    raw.leave();
  });

  it('one that comes under the name of another is refused, and the other stays', async () => {
    const refused = await rawWorker(rig, 'good', { key: createWorkerKey().key }).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: 'BBX-PRO-REFUSED' });
    await unharmed();
  });

  it('one whose inventory has ten thousand builds of others gets none of them', async () => {
    const builds = Array.from({ length: 9_999 }, (_, n) => ({
      ...{ build: n + 1, token: `1-${'e'.repeat(16)}`, epoch: good.session.greeting.epoch, state: 'running' },
    }));
    builds.push({ ...victim, epoch: good.session.greeting.epoch, state: 'running' });
    const raw = await rawWorker(rig, 'bad-inventory', { inventory: { builds } });
    await until('all drops', () => raw.got.filter((message) => message.type === 'drop').length === 10_000);
    expect(raw.got.some((message) => message.type === 'resume')).toBe(false);
    await unharmed();
    raw.leave();
  });

  it('one with a wrong hash is found out, and its log is kept as it came', async () => {
    const { raw, lease } = await hostile();
    const tell = begun(raw, lease);
    open(raw, lease);
    frame(raw, 0, 'abc');
    tell(3, ended(0, [{ name: 'stdio', bytes: 3, sha256: 'a'.repeat(64) }]));
    tell(4, { type: 'buildFinished', at: 4, results: 0, state: 'build successful' });
    await until('its end', async () => {
      const found = await rig.client.call('build', { params: { build: String(lease.build) } });
      return found.complete;
    });
    const { trouble } = await rig.client.call('status', {});
    expect(JSON.stringify(trouble)).toContain('BBX-MAS-LOG-MISMATCH');
    await unharmed();
    raw.leave();
  });

  it('one that never reads is put out before its answers fill the memory', async () => {
    const { raw, lease, name } = await hostile();
    begun(raw, lease);
    raw.socket.pause();
    const again = JSON.stringify({
      type: 'progress',
      ...lease,
      sequence: 1,
      event: { type: 'buildStarted', at: 1, workdir: '' },
    });
    const limit = Date.now() + 20_000;
    const told = () => lines.find(({ text }) => text.includes(`"${name}"`) && text.includes('4005'));
    while (told() === undefined && Date.now() < limit) {
      // An event that came before is answered each time.
      for (let times = 0; times < 2_000 && raw.socket.unsent < 4 * 2 ** 20; times += 1)
        raw.socket.sendText(again);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(told()?.level).toBe('warn');
    await unharmed();
    raw.leave();
  }, 30_000);

  it('one that changes its mind about draining all the time fills neither events nor log', async () => {
    const { raw, name } = await hostile();
    const before = lines.length;
    for (let times = 0; times < 3_000; times += 1)
      raw.say({ type: 'state', draining: times % 2 === 0, notes: [`note ${times}`] });
    raw.say({ type: 'state', draining: false, notes: ['the last word'] });
    await until('the last word', async () => {
      const { trouble } = await rig.client.call('status', {});
      return JSON.stringify(trouble).includes('the last word');
    });
    expect(lines.slice(before).filter(({ text }) => text.includes(name)).length).toBeLessThan(50);
    await unharmed();
    raw.leave();
  });

  it('one that goes on after it was removed is not heard', async () => {
    const { raw, lease, name } = await hostile();
    await rig.client.call('removeWorker', { params: { worker: name } });
    for (let times = 0; times < 100; times += 1) begun(raw, lease);
    expect(await raw.end).toMatchObject({ code: 1001 });
    await unharmed();
  });
});

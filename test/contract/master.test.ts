import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { createWorkerKey } from '../../src/protocol/bbx/keys.ts';
import { eventsAfter } from '../../src/store/events.ts';
import { SMALL_LOG_BYTES } from '../../src/store/small-log.ts';
import { openStore } from '../../src/store/store.ts';
import { fakeWorker, testMaster, type FakeWorker, type TestMaster } from '../rigs/master.ts';
import { until } from '../rigs/wait.ts';

const CONFIG = `
lostWorkerGrace: 30s
builders:
  app: { steps: [ { name: step, run: make } ] }
  other: { workers: { tags: [gpu] }, steps: [ { name: step, run: make } ] }
`;

const force = (rig: TestMaster, builder = 'app') => rig.client.call('startBuild', { body: { builder } });
const build = (rig: TestMaster, name: string) => rig.client.call('build', { params: { build: name } });
const ended = (rig: TestMaster, name: string): Promise<BuildObject> =>
  until(`build ${name} to end`, async () => {
    const found = await build(rig, name).catch(() => undefined);
    return found?.complete === true && found;
  });

async function logOf(rig: TestMaster, name: string, follow = false): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const bytes of rig.client.log({ build: name, step: '0', log: 'stdio', follow }))
    parts.push(bytes);
  return Buffer.concat(parts).toString();
}

/** A forced build at w1, in its first step, whose log is opened as stream 1. */
async function inStep(rig: TestMaster) {
  const w1 = await rig.worker('w1');
  await force(rig);
  const { build: id, token } = await w1.next('assign');
  const lease = { build: id, token };
  w1.send({ type: 'assigned', ...lease, accepted: true });
  const started = { type: 'stepStarted', at: 1, step: 0, name: 'step' } as const;
  w1.send({ type: 'progress', ...lease, sequence: 1, event: started });
  w1.send({ type: 'open', ...lease, stream: 1, step: 0, log: 'stdio', offset: 0 });
  return { w1, lease };
}

describe('a master and its workers', () => {
  it('gives a forced build to a worker, stores what it tells, and acknowledges it', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    const request = await force(rig);
    expect(request).toMatchObject({ buildrequestid: 1, builder: 'app', complete: false });
    const assign = await w1.next('assign');
    expect(assign.plan).toMatchObject({
      builder: 'app',
      number: 1,
      properties: { worker: 'w1', branch: null },
    });
    expect(assign.orphanAfter).toBeLessThan(30);
    w1.build(assign, 'hello\n');
    const done = await ended(rig, 'app/1');
    expect(done).toMatchObject({ result: 'success', worker: 'w1', state_string: 'build successful' });
    expect(done.steps?.[0]).toMatchObject({ name: 'step', result: 'success', rc: 0 });
    expect(done.steps?.[0]?.logs[0]).toMatchObject({ name: 'stdio', bytes: 6, complete: true });
    expect(await logOf(rig, 'app')).toBe('hello\n');
    await until('everything to be acknowledged', () =>
      w1.got.some((message) => message.type === 'ack' && message.sequence === 4),
    );
    const after = await rig.client.call('request', { params: { request: 'r1' } });
    expect(after).toMatchObject({ complete: true, result: 'success' });
  });

  it('begins what waits in the transaction that ends the build before it', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    for (let build = 1; build <= 3; build += 1) await force(rig);
    for (let build = 1; build <= 3; build += 1) w1.build(await w1.next('assign'));
    await ended(rig, 'app/3');
    await using store = await openStore('sqlite:state.sqlite', { dir: rig.dir, readOnly: true });
    const events = await store.read((db) => eventsAfter(db, 0, 100));
    const times = (type: string) => events.filter((event) => event.type === type).map(({ at }) => at);
    // The events of one transaction have one time.
    expect(times('build.started').slice(1)).toEqual(times('build.finished').slice(0, 2));
  });

  it('follows a log while it grows, to its end', async () => {
    await using rig = await testMaster(CONFIG);
    const { w1, lease } = await inStep(rig);
    w1.session.sendLog({ stream: 1, channel: 'stdout', offset: 0, at: 1, payload: Buffer.from('a\n') });
    // Who reads it once meets what has come, though little waits for the end of its log longer than that.
    await until(
      'the first line',
      async () => (await logOf(rig, 'app/1').catch(() => undefined)) === 'a\n',
      1_500,
    );
    const followed = logOf(rig, 'app/1', true);
    w1.session.sendLog({ stream: 1, channel: 'header', offset: 2, at: 1, payload: Buffer.from('h\n') });
    w1.session.sendLog({ stream: 1, channel: 'stderr', offset: 4, at: 1, payload: Buffer.from('b\n') });
    await until('the bytes to be acknowledged', () =>
      w1.got.some((message) => message.type === 'ack' && message.streams.some(({ offset }) => offset === 6)),
    );
    w1.send({ type: 'abandoned', ...lease, why: 'test' });
    expect(await followed).toBe('a\nh\nb\n');
    const output: Uint8Array[] = [];
    const options = { build: 'app/1', step: 'step', log: 'stdio', channels: 'output' as const };
    for await (const bytes of rig.client.log(options)) output.push(bytes);
    expect(Buffer.concat(output).toString()).toBe('a\nb\n');
  });

  it('says of a log whose worker never told its end that it breaks off, where and why, and not how much is missing', async () => {
    await using rig = await testMaster(CONFIG);
    const { w1, lease } = await inStep(rig);
    w1.session.sendLog({ stream: 1, channel: 'stdout', offset: 0, at: 7, payload: Buffer.from('half a l') });
    await until('the log to be there', () => logOf(rig, 'app/1').catch(() => undefined));
    const pieces = (follow: boolean) =>
      Array.fromAsync(rig.client.pieces({ build: 'app/1', step: '0', log: 'stdio', follow }));
    const followed = pieces(true);
    expect((await pieces(false)).every((piece) => 'data' in piece)).toBe(true);
    w1.send({ type: 'abandoned', ...lease, why: 'its disk has lost it' });
    await ended(rig, 'app/1');
    const why = 'worker "w1" gave it up: its disk has lost it';
    for (const got of [await followed, await pieces(false)]) {
      expect(got).toMatchObject([
        { offset: 0, bytes: 8 },
        { offset: 8, at: 7, lost: null, cause: 'worker', why },
      ]);
    }
    expect(await logOf(rig, 'app/1')).toBe('half a l');
    const [log] = (await build(rig, 'app/1')).steps![0]!.logs;
    expect(log).toMatchObject({ receipt: 'unsaid', bytes: 8, complete: true });
  });

  it('adopts a running build after its own restart: same build, log from where it stood', async () => {
    await using rig = await testMaster(CONFIG);
    const { w1, lease } = await inStep(rig);
    w1.session.sendLog({ stream: 1, channel: 'stdout', offset: 0, at: 1, payload: Buffer.from('one\n') });
    await until('the bytes to be acknowledged', () =>
      w1.got.some((message) => message.type === 'ack' && message.streams.some(({ offset }) => offset === 4)),
    );
    await rig.restart();
    expect((await build(rig, 'app/1')).complete).toBe(false);
    await using again = await keeping(comeBack(rig, w1, lease));
    const resume = again.worker.got.find((message) => message.type === 'resume');
    expect(resume).toMatchObject({ ...lease, sequence: 1, logs: [{ step: 0, log: 'stdio', bytes: 4 }] });
    again.worker.send({ type: 'open', ...lease, stream: 9, step: 0, log: 'stdio', offset: 4 });
    again.worker.session.sendLog({
      stream: 9,
      channel: 'stdout',
      offset: 4,
      at: 1,
      payload: Buffer.from('two\n'),
    });
    again.worker.send({
      type: 'progress',
      ...lease,
      sequence: 2,
      event: { type: 'buildFinished', at: 5, results: 0, state: 'build successful' },
    });
    expect(await ended(rig, 'app/1')).toMatchObject({ result: 'success', number: 1 });
    expect(await until('the whole log', async () => (await logOf(rig, 'app/1')) === 'one\ntwo\n')).toBe(true);
    expect(await rig.client.call('builds', {})).toHaveLength(1);
  });

  it('takes a log as the newer session brings it, where nothing of it is stored yet', async () => {
    await using rig = await testMaster(CONFIG);
    const { w1, lease } = await inStep(rig);
    const send = (worker: typeof w1, text: string) =>
      worker.session.sendLog({ stream: 1, channel: 'stdout', offset: 0, at: 1, payload: Buffer.from(text) });
    send(w1, 'what the former process has written\n');
    await until(
      'the log to be there',
      async () => (await build(rig, 'app/1')).steps?.[0]?.logs.length === 1,
      1_500,
    );
    // A copy of the worker's directory, from before most of that.
    await using again = await keeping(comeBack(rig, w1, lease));
    const resume = await again.worker.next('resume');
    expect(resume.logs.map(({ bytes }) => bytes)).toEqual([0]);
    again.worker.send({ type: 'open', ...lease, stream: 1, step: 0, log: 'stdio', offset: 0 });
    const text = 'what is left\n';
    send(again.worker, text);
    const end = { type: 'stepFinished', at: 2, step: 0, results: 2, rc: 1, state: 'failed' } as const;
    const sha256 = createHash('sha256').update(text).digest('hex');
    const log = { name: 'stdio', bytes: text.length, sha256 };
    again.worker.send({
      ...{ type: 'progress', ...lease, sequence: resume.sequence + 1 },
      event: { ...end, signal: null, properties: {}, logs: [log] },
    });
    again.worker.send({
      ...{ type: 'progress', ...lease, sequence: resume.sequence + 2 },
      event: { type: 'buildFinished', at: 3, results: 2, state: 'failed' },
    });
    const done = await ended(rig, 'app/1');
    expect(done.steps?.[0]?.logs[0]).toMatchObject({ bytes: text.length, receipt: 'verified' });
    expect(await logOf(rig, 'app/1')).toBe(text);
    const { trouble } = await rig.client.call('status', {});
    expect(trouble.filter(({ subject }) => subject.startsWith('log'))).toEqual([]);
  });

  it('waits after a restart for as long as the worker was told to go on, whatever the configuration says since', async () => {
    const configOf = (grace: string, orphan: string) =>
      `lostWorkerGrace: ${grace}\nbuilders:\n` +
      `  app: { workers: { names: [w1] }, steps: [ { name: step, run: make } ] }\n` +
      `  long: { orphan: ${orphan}, workers: { names: [w1] }, steps: [ { name: step, run: make } ] }\n`;
    await using rig = await testMaster(configOf('2s', 'continue'));
    const w1 = await rig.worker('w1');
    for (const builder of ['app', 'long']) {
      await force(rig, builder);
      const { build: id, token } = await w1.next('assign');
      w1.send({ type: 'assigned', build: id, token, accepted: true });
      const event = { type: 'stepStarted', at: 1, step: 0, name: 'step' } as const;
      w1.send({ type: 'progress', build: id, token, sequence: 1, event });
      await until('it to be stored', () =>
        w1.got.some((message) => message.type === 'ack' && message.build === id),
      );
    }
    await rig.stop();
    await rig.configure(configOf('100ms', 'stop'));
    const before = performance.now();
    await rig.start();
    expect(await ended(rig, 'app/1')).toMatchObject({ result: 'retry' });
    expect(performance.now() - before).toBeGreaterThan(1_900);
    expect(await build(rig, 'long/1')).toMatchObject({ complete: false });
  });

  it('tries a build again whose worker came back without it, and ends the third try as exception', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    const { key } = w1;
    const address = rig.master.bound.workers[0]!;
    await force(rig);
    const take = async (worker: typeof w1) => {
      const { build: id, token, plan } = await worker.next('assign');
      worker.send({ type: 'assigned', build: id, token, accepted: true });
      worker.leave();
      return { number: plan.number, attempt: token.split('-')[0] };
    };
    expect(await take(w1)).toEqual({ number: 1, attempt: '1' });
    for (const number of [2, 3]) {
      const back = await fakeWorker({ name: 'w1', address, key });
      expect(await take(back)).toEqual({ number, attempt: String(number) });
    }
    const last = await fakeWorker({ name: 'w1', address, key });
    expect((await ended(rig, 'app/1')).result).toBe('retry');
    expect((await ended(rig, 'app/3')).result).toBe('exception');
    const request = await rig.client.call('request', { params: { request: '1' } });
    expect(request).toMatchObject({ complete: true, result: 'exception' });
    last.leave();
  });

  it('does not count an assignment that was lost on the way as a try', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    const address = rig.master.bound.workers[0]!;
    await force(rig);
    await w1.next('assign');
    w1.leave();
    for (const number of [2, 3, 4]) {
      const back = await fakeWorker({ name: 'w1', address, key: w1.key });
      const assign = await back.next('assign');
      expect(assign.plan.number).toBe(number);
      expect(assign.token.split('-')[0]).toBe('1');
      if (number === 4) back.build(assign);
      else back.leave();
    }
    expect((await ended(rig, 'app/4')).result).toBe('success');
  });

  it('waits for a lost worker for the grace, then gives the build to another; the late one is told to drop it', async () => {
    await using rig = await testMaster(CONFIG.replace('30s', '2s'));
    const w1 = await rig.worker('w1');
    await force(rig);
    const { build: id, token, orphanAfter } = await w1.next('assign');
    expect(orphanAfter).toBe(1);
    w1.send({ type: 'assigned', build: id, token, accepted: true });
    const w2 = await rig.worker('w2');
    const before = performance.now();
    w1.leave();
    await until('the loss', async () => (await build(rig, 'app/1')).state_string.includes('to come back'));
    const again = await w2.next('assign');
    expect(performance.now() - before).toBeGreaterThan(1_900);
    expect(again.token).toMatch(/^2-/);
    expect((await build(rig, 'app/1')).result).toBe('retry');
    const address = rig.master.bound.workers[0]!;
    const epoch = w1.session.greeting.epoch;
    const held = { build: id, token, epoch, state: 'finished' as const };
    const back = await fakeWorker({ name: 'w1', address, key: w1.key, builds: [held] });
    expect(back.got.find(({ type }) => type === 'drop')).toMatchObject({ build: id, token });
    w2.build(again);
    expect((await ended(rig, 'app/2')).result).toBe('success');
    const request = await rig.client.call('request', { params: { request: 'r1' } });
    expect(request.builds.map(({ result }) => result)).toEqual(['retry', 'success']);
    back.leave();
  });

  it('counts the grace from when it listens again, not from when it fell', async () => {
    await using rig = await testMaster(CONFIG.replace('30s', '2s'));
    const w1 = await rig.worker('w1');
    await force(rig);
    const lease = await w1.next('assign');
    w1.leave();
    await until('the loss', async () => (await build(rig, 'app/1')).state_string.includes('to come back'));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await rig.restart();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const address = rig.master.bound.workers[0]!;
    const held = {
      build: lease.build,
      token: lease.token,
      epoch: w1.session.greeting.epoch,
      state: 'running' as const,
    };
    const back = await fakeWorker({ name: 'w1', address, key: w1.key, builds: [held] });
    expect(back.got.some(({ type }) => type === 'resume')).toBe(true);
    back.leave();
  });

  it('refuses what comes with the token of an older try, and says drop', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    await force(rig);
    const { build: id, token } = await w1.next('assign');
    const address = rig.master.bound.workers[0]!;
    const epoch = w1.session.greeting.epoch;
    w1.leave();
    const stale = { build: id, token: `1-${'0'.repeat(16)}`, epoch, state: 'running' as const };
    const other = { build: id, token, epoch: 'another life', state: 'running' as const };
    const back = await fakeWorker({ name: 'w1', address, key: w1.key, builds: [stale, other] });
    const drops = back.got.filter((message) => message.type === 'drop');
    expect(drops.map(({ token: dropped, why }) => [dropped, why])).toEqual([
      [stale.token, 'this try at the build is over'],
      [token, 'it is of another life of the store'],
    ]);
    back.leave();
  });

  it('gives a build back that its worker refuses, without counting it as a try, and lets that worker rest', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    await force(rig);
    const { build: id, token } = await w1.next('assign');
    w1.send({ type: 'assigned', build: id, token, accepted: false, why: 'no room' });
    const first = await ended(rig, 'app/1');
    expect(first).toMatchObject({ result: 'retry' });
    expect(first.state_string).toContain('no room');
    const why = await rig.client.call('why', { params: { subject: 'r1' } });
    expect(why.reasons.at(-1)).toMatchObject({
      about: 'worker "w1"',
      reason: expect.stringContaining('refused a build (no room)'),
    });
    const status = await rig.client.call('status', {});
    expect(status.trouble).toMatchObject([{ code: 'BBX-MAS-WORKER-REFUSES', subject: 'worker w1: builds' }]);
    expect(status.workers).toMatchObject([{ name: 'w1', notes: ['refuses builds: no room'] }]);
    const w2 = await rig.worker('w2');
    const assign = await w2.next('assign');
    expect(assign.token).toMatch(/^1-/);
    w2.build(assign);
    expect((await ended(rig, 'app/2')).result).toBe('success');
    await rig.client.call('resumeWorker', { params: { worker: 'w1' } });
    await rig.client.call('pauseWorker', { params: { worker: 'w2' } });
    expect((await rig.client.call('status', {})).trouble).toEqual([]);
    await force(rig);
    expect((await w1.next('assign')).plan.number).toBe(3);
  });

  it('cancels a waiting request, a running build, and a build whose worker is away', async () => {
    await using rig = await testMaster(CONFIG);
    await force(rig);
    const cancelled = await rig.client.call('cancelRequest', {
      params: { request: 'r1' },
      body: { reason: 'too late' },
    });
    const why = await rig.client.call('why', { params: { subject: 'r1' } });
    expect(why.reasons).toEqual([{ about: 'cancel', reason: 'too late', since: expect.any(Number) }]);
    expect(cancelled).toMatchObject({ complete: true, result: 'cancelled', cancel_reason: 'too late' });
    const w1 = await rig.worker('w1');
    await force(rig);
    const assign = await w1.next('assign');
    await rig.client.call('cancelBuild', { params: { build: 'app/1' }, body: { reason: 'not needed' } });
    expect(await w1.next('cancel')).toMatchObject({ build: assign.build, why: 'not needed' });
    w1.build(assign, '', 6);
    expect((await ended(rig, 'app/1')).result).toBe('cancelled');
    await force(rig);
    await w1.next('assign');
    w1.leave();
    await until(
      'the worker to be gone',
      async () => !(await rig.client.call('worker', { params: { worker: 'w1' } })).connected,
    );
    await rig.client.call('cancelBuild', { params: { build: 'app' }, body: {} });
    expect((await ended(rig, 'app/2')).result).toBe('cancelled');
    await expect(
      rig.client.call('cancelBuild', { params: { build: 'app/2' }, body: {} }),
    ).rejects.toMatchObject({
      code: 'BBX-API-COMPLETE',
      exit: 8,
    });
  });

  it('explains a repository by its name, by its address and beside a builder of its name, and a build by the revision that it got', async () => {
    const git = 'https://git.example/app.git';
    await using rig = await testMaster(`${CONFIG}\nrepositories: { app: { git: "${git}", poll: off } }\n`);
    const why = (subject: string) => rig.client.call('why', { params: { subject } });
    const about = 'repository "app"';
    for (const subject of ['app', 'repository/app', git])
      expect((await why(subject)).reasons[0]).toMatchObject({ about });
    const w1 = await rig.worker('w1');
    await force(rig);
    const revision = '0e5b092'.padEnd(40, '1');
    w1.build(await w1.next('assign'), '', 0, { got_revision: revision });
    expect(await ended(rig, 'app/1')).toMatchObject({ revision });
    const both = await why('app');
    expect(both.subject).toBe('app/1');
    expect(both.reasons.map((reason) => reason.about)).toContain(about);
    expect((await why('repository/app')).subject).toBe('app');
    expect((await why('0e5b092')).subject).toBe('app/1');
    await expect(why('0e5b093')).rejects.toMatchObject({ exit: 6 });
  });

  it.each(['zzzz', 'abc', '4d5e6f0', 'HEAD', ''])('refuses the revision %j at the door', async (revision) => {
    await using rig = await testMaster(CONFIG);
    const change = { repository: 'https://git.example/app.git', branch: 'main', revision };
    const refused = { exit: 2, message: expect.stringContaining('a full commit id') };
    await expect(rig.client.call('startBuild', { body: { builder: 'app', revision } })).rejects.toMatchObject(
      refused,
    );
    await expect(rig.client.call('sendChange', { body: change })).rejects.toMatchObject(refused);
  });

  it('runs a hundred waiting builds, each once, on workers that finish at once', async () => {
    await using rig = await testMaster(CONFIG);
    const COUNT = 100;
    for (let index = 0; index < COUNT; index += 1) await force(rig);
    const workers = await Promise.all(['w1', 'w2', 'w3'].map((name) => rig.worker(name)));
    const builds = new Set<number>();
    const feeding = workers.map(async (worker) => {
      for (;;) {
        const assign = await worker.next('assign').catch(() => undefined);
        if (assign === undefined) return;
        builds.add(assign.build);
        worker.build(assign, 'x');
        if (builds.size === COUNT) return;
      }
    });
    await until('all builds', async () => {
      const [first] = await rig.client.call('builders', {});
      return first?.pending === 0 && first.running === 0;
    });
    expect(builds.size).toBe(COUNT);
    for (const worker of workers) worker.leave();
    await Promise.race(feeding);
  }, 30_000);
});

describe('who is let in', () => {
  it('lists a stranger as pending with its fingerprint, and lets it in when it is approved', async () => {
    await using rig = await testMaster(CONFIG);
    const address = rig.master.bound.workers[0]!;
    const { key } = createWorkerKey();
    await expect(fakeWorker({ name: 'new', address, key })).rejects.toMatchObject({
      code: 'BBX-PRO-PENDING',
    });
    const [worker] = await rig.client.call('workers', {});
    expect(worker).toMatchObject({
      name: 'new',
      state: 'pending',
      fingerprint: key.fingerprint,
      connected: false,
    });
    await rig.client.call('approveWorker', { params: { worker: 'new' } });
    const fake = await fakeWorker({ name: 'new', address, key });
    expect((await rig.client.call('worker', { params: { worker: 'new' } })).attached).toBe(true);
    fake.leave();
  });

  it('answers the same to a name of another key, a key of another name, and a wrong secret', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    const address = rig.master.bound.workers[0]!;
    const tries = [
      { name: 'w1', key: createWorkerKey().key },
      { name: 'w2', key: w1.key },
      { name: 'w3', key: createWorkerKey().key, secret: 'x'.repeat(32) },
    ];
    const errors = await Promise.all(
      tries.map((options) => fakeWorker({ address, ...options }).catch((error: unknown) => error)),
    );
    const said = errors.map((error) => (error as { data: { reason: string; message: string } }).data);
    expect(said.map(({ reason, message }) => [reason, message])).toEqual(
      Array(3).fill([said[0]!.reason, said[0]!.message]),
    );
    expect(said[0]!.reason).toBe('identity');
  });

  it('refuses a removed worker until it is added again', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    const address = rig.master.bound.workers[0]!;
    await rig.client.call('removeWorker', { params: { worker: 'w1' } });
    expect(await w1.next('bye')).toMatchObject({ reason: 'removed' });
    await expect(fakeWorker({ name: 'w1', address, key: w1.key })).rejects.toMatchObject({
      code: 'BBX-PRO-REMOVED',
    });
    expect((await rig.client.call('status', {})).workers).toEqual([]);
    expect(await rig.client.call('workers', {})).toMatchObject([{ name: 'w1', state: 'removed' }]);
    const back = await rig.worker('w1', { key: w1.key });
    back.leave();
  });

  it('shows the same invitation again, and a new one when that is asked for', async () => {
    await using rig = await testMaster(CONFIG);
    const add = (renew: boolean) =>
      rig.client.call('addWorker', { body: { names: 'w1', expiresMs: 60_000, renew } });
    const first = await add(false);
    expect(first.changed).toBe(true);
    expect(await add(false)).toEqual({ ...first, changed: false });
    await rig.restart();
    expect((await add(false)).changed).toBe(false);
    const renewed = await add(true);
    expect(renewed).toMatchObject({ changed: true });
    expect(renewed.join).not.toBe(first.join);
  });

  it('says what an invitation is good for, of a name that is used already', async () => {
    await using rig = await testMaster(CONFIG);
    const add = (renew: boolean) =>
      rig.client.call('addWorker', { body: { names: 'w1', expiresMs: 60_000, renew } });
    expect((await add(false)).notes).toEqual([]);
    const w1 = await rig.worker('w1');
    expect(await add(false)).toMatchObject({
      changed: false,
      notes: [expect.stringContaining('"w1" has used this join string')],
    });
    expect(await add(true)).toMatchObject({
      changed: true,
      notes: [expect.stringContaining('"w1" is a worker of this farm already')],
    });
    expect(w1.ended).toBe(false);
    const address = rig.master.bound.workers[0]!;
    await fakeWorker({ name: 'new', address }).catch(() => undefined);
    const { notes } = await rig.client.call('addWorker', { body: { names: 'new', expiresMs: 60_000 } });
    expect(notes).toEqual([expect.stringContaining('waits for approval')]);
  });

  it.each([
    [{ names: 'vps-*', expiresMs: 1000 }, 'uses'],
    [{ names: 'w1', uses: 3, expiresMs: 1000 }, 'pattern'],
    [{ names: '../x', expiresMs: 1000 }, 'letters'],
  ])('refuses the invitation %j', async (body, word) => {
    await using rig = await testMaster(CONFIG);
    const call = rig.client.call('addWorker', { body });
    await expect(call).rejects.toMatchObject({
      code: 'BBX-MAS-JOIN',
      message: expect.stringContaining(word),
    });
  });

  it('replaces the session of a worker that comes again, and refuses two that take turns', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    const address = rig.master.bound.workers[0]!;
    const come = () => fakeWorker({ name: 'w1', address, key: w1.key });
    let old = w1;
    for (let round = 0; round < 4; round += 1) {
      const next = await come();
      expect(await old.next('bye')).toMatchObject({ reason: 'replaced' });
      old = next;
    }
    const { trouble } = await rig.client.call('status', {});
    expect(trouble).toMatchObject([
      {
        code: 'BBX-MAS-WORKER-TWICE',
        message: expect.stringMatching(/came from 127\.0\.0\.1:\d+ while the one from 127\.0\.0\.1:\d+/),
      },
    ]);
    await expect(come()).rejects.toMatchObject({
      code: 'BBX-PRO-ALTERNATING',
      message: expect.stringMatching(/127\.0\.0\.1:\d+ and from 127\.0\.0\.1:\d+/),
    });
    expect(old.ended).toBe(false);
    old.leave();
  });
});

describe('what a worker says of itself', () => {
  it('stands in status while it is connected and says so', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1', { facts: { tags: 'gpu big', os: 'test' } });
    expect(await rig.client.call('worker', { params: { worker: 'w1' } })).toMatchObject({
      tags: ['gpu', 'big'],
      facts: { os: 'test' },
      notes: [],
    });
    w1.send({ type: 'state', draining: true, notes: ['the disk is full'] });
    const status = await until('the note', async () => {
      const found = await rig.client.call('status', {});
      return found.trouble.length > 0 && found;
    });
    expect(status.trouble).toMatchObject([
      { code: 'BBX-MAS-WORKER-NOTE', message: 'Worker "w1" says: the disk is full' },
    ]);
    expect(status.workers[0]).toMatchObject({ attached: false, draining: true, notes: ['the disk is full'] });
    w1.leave();
    await until('it to be gone', async () => (await rig.client.call('status', {})).trouble.length === 0);
  });
});

describe('status', () => {
  it('says that the file of the configuration was written since it was loaded', async () => {
    await using rig = await testMaster(CONFIG);
    const changed = async () => (await rig.client.call('status', {})).config.changed;
    expect(await changed()).toBe(false);
    await rig.configure('builders: [');
    expect(await changed()).toBe(true);
    await rig.configure(CONFIG);
    await rig.master.apply();
    expect(await changed()).toBe(false);
  });
});

describe('the ports of a master', () => {
  it('let a worker in over the web port, with the pinned TLS inside its WebSocket', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    const address = `ws://${rig.master.bound.web[0]}/bbx/worker`;
    const back = await fakeWorker({ name: 'w1', address, pins: [rig.master.fingerprint], key: w1.key });
    await force(rig);
    back.build(await back.next('assign'), 'through the tunnel\n');
    expect((await ended(rig, 'app/1')).result).toBe('success');
    back.leave();
  });

  it('answer on the web port nothing but health', async () => {
    await using rig = await testMaster(CONFIG);
    const url = `http://${rig.master.bound.web[0]}`;
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    for (const path of ['/api/v2/status', '/', '/bbx/worker']) {
      const answer = await fetch(url + path);
      expect(answer.status).toBe(404);
      await answer.text();
    }
  });

  it('cut off who says nothing in time, and stay open for others', async () => {
    await using rig = await testMaster(CONFIG);
    const [host = '', port] = rig.master.bound.workers[0]!.split(':');
    const idle = Array.from({ length: 20 }, () => connect({ host, port: Number(port) }));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    const w1 = await rig.worker('w1');
    expect(w1.ended).toBe(false);
    for (const socket of idle) socket.destroy();
  });
});

describe('the end of a master', () => {
  it('comes within 5 s while builds run, says so to the workers, and keeps the builds', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    await force(rig);
    await w1.next('assign');
    const before = performance.now();
    await rig.stop();
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(await w1.next('bye')).toMatchObject({ reason: 'stopping' });
    await rig.start();
    expect(await build(rig, 'app/1')).toMatchObject({ complete: false });
  });

  it('waits with drain for what runs, takes nothing new, and says so', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    await force(rig);
    const assign = await w1.next('assign');
    let stopped = false;
    const stopping = rig.master.stop({ drain: true }).then(() => (stopped = true));
    expect(await rig.client.call('status', {})).toMatchObject({ draining: true });
    await expect(force(rig)).rejects.toMatchObject({ code: 'BBX-API-DRAINING' });
    expect(stopped).toBe(false);
    w1.build(assign);
    await stopping;
    await rig.start();
    expect(await build(rig, 'app/1')).toMatchObject({ complete: true, result: 'success' });
  });

  it('cancels what runs when that is asked for', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    await force(rig);
    const assign = await w1.next('assign');
    const stopping = rig.master.stop({ cancel: true });
    expect(await w1.next('cancel')).toMatchObject({ why: 'the master stops' });
    w1.build(assign, '', 6);
    await stopping;
    await rig.start();
    expect((await build(rig, 'app/1')).result).toBe('cancelled');
  });

  it('is not needed for a second master in the same directory: that one is refused', async () => {
    await using rig = await testMaster(CONFIG);
    const first = rig.master;
    await expect(rig.start()).rejects.toMatchObject({ code: 'BBX-EXE-LOCKED', exit: 8 });
    expect(rig.master).toBe(first);
    expect((await rig.client.call('status', {})).title).toBeDefined();
  });
});

/** Another session of `w1`, which still has this build. */
function comeBack(rig: TestMaster, w1: FakeWorker, lease: { build: number; token: string }) {
  const address = rig.master.bound.workers[0]!;
  const { epoch } = w1.session.greeting;
  return fakeWorker({ name: 'w1', address, key: w1.key, builds: [{ ...lease, epoch, state: 'running' }] });
}

/** A fake worker for an `await using`. */
async function keeping(coming: ReturnType<typeof fakeWorker>) {
  const worker = await coming;
  return { worker, [Symbol.asyncDispose]: async () => worker.leave() };
}

describe('a master that was killed', () => {
  it('between the end of a build and that of its log closes the log when it starts', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1');
    await force(rig);
    // Too large to stand in its row, which is complete when the build is.
    const text = 'hello\n'.repeat(SMALL_LOG_BYTES);
    w1.build(await w1.next('assign'), text);
    await ended(rig, 'app/1');
    await rig.stop();
    const store = await openStore('sqlite:state.sqlite', { dir: rig.dir });
    await store.write((tx) => tx.updateTable('logs').set({ complete: 0 }).execute());
    await store.close();
    await rig.start();
    const complete = await until('the log to be closed', async () => {
      const log = (await build(rig, 'app/1')).steps?.[0]?.logs[0];
      return log?.complete === true && log;
    });
    expect(complete).toMatchObject({ bytes: text.length });
    expect(await logOf(rig, 'app', true)).toBe(text);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { LinkRecord } from '../../src/protocol/bbx/link-facts.ts';
import { createWorkerKey } from '../../src/protocol/bbx/keys.ts';
import { testMaster } from '../rigs/master.ts';
import { until } from '../rigs/wait.ts';

const CONFIG = 'builders: {}\nworkers: {}\n';
const link = async (rig: Awaited<ReturnType<typeof testMaster>>, worker = 'w1') =>
  (await rig.client.call('worker', { params: { worker } })).link!;

function record(number: number, fact: LinkRecord['fact'], ago: number | null = 0): LinkRecord {
  return { number, boot: 'b1', at: 1_000, ago, fact };
}

describe('the master’s history of links', () => {
  it('has each session’s end, also when the master itself was stopped in between', async () => {
    await using rig = await testMaster(CONFIG);
    const { key } = createWorkerKey();
    const first = await rig.worker('w1', { key, boot: 'b1' });
    expect(await link(rig)).toMatchObject({ last: null, lost_day: 0, clock_ahead: null });
    first.leave();
    await until('the end', async () => (await link(rig)).since === null);
    const second = await rig.worker('w1', { key, boot: 'b1' });
    expect(await link(rig)).toMatchObject({
      lost_day: 1,
      last: { cause: 'closed-by-worker', back_at: expect.any(Number) as number },
    });
    await rig.restart();
    await until('the session is over', () => second.ended);
    await rig.worker('w1', { key, boot: 'b1' });
    expect(await link(rig)).toMatchObject({ lost_day: 2, last: { cause: 'master-restarted' } });
  });

  it('keeps what a worker tells, says so, and takes the same again only once', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1', { boot: 'b1' });
    expect(w1.session.greeting.capabilities).toContain('history');
    const records = [record(1, { kind: 'began', software: 'x' }), record(2, { kind: 'clock', by: -3_600 })];
    w1.send({ type: 'history', records });
    expect(await w1.next('historyStored')).toMatchObject({ number: 2 });
    w1.send({ type: 'history', records: [...records, record(3, { kind: 'ended' })] });
    expect(await w1.next('historyStored')).toMatchObject({ number: 3 });
  });

  it('is flooded by nobody: what is over the limit is not answered, and the session goes on', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1', { boot: 'b1' });
    const got = '\u001b[31m'.repeat(20);
    for (let message = 0; message < 100; message += 1) {
      const records = Array.from({ length: 100 }, (_, index) =>
        record(message * 100 + index + 1, { kind: 'failed', target: 't', code: 'c', got, times: 1 }, 1e9),
      );
      w1.send({ type: 'history', records });
      await w1.session.drained();
    }
    await w1.next('historyStored');
    await delay(1_500);
    const answers = w1.got.filter(({ type }) => type === 'historyStored');
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.length).toBeLessThan(25);
    expect(w1.ended).toBe(false);
    expect((await link(rig)).since).not.toBeNull();
  });

  it('knows a worker’s clock from its inventory, and believes nothing that cannot be', async () => {
    await using rig = await testMaster(CONFIG);
    const w1 = await rig.worker('w1', { boot: 'b1' });
    w1.send({ type: 'history', records: [record(1, { kind: 'ended' }, null)] });
    await w1.next('historyStored');
    w1.session.send({ type: 'history', records: [{ ...record(2, { kind: 'ended' }), ago: -5 }] });
    await until('the session is ended', () => w1.ended);
  });
});

describe('a drain that was asked at the master', () => {
  it('outlives the master, and ends with the worker’s process', async () => {
    await using rig = await testMaster(CONFIG);
    const { key } = createWorkerKey();
    await rig.worker('w1', { key, boot: 'b1' });
    await rig.client.call('drainWorker', { params: { worker: 'w1' } });
    const isDraining = async () => (await rig.client.call('worker', { params: { worker: 'w1' } })).draining;
    await rig.restart();
    expect(await isDraining()).toBe(true);
    const same = await rig.worker('w1', { key, boot: 'b1' });
    expect(await isDraining()).toBe(true);
    same.leave();
    await rig.worker('w1', { key, boot: 'b2' });
    await until('the drain is over', async () => !(await isDraining()));
    await rig.restart();
    expect(await isDraining()).toBe(false);
  });

  it('is taken back for good by resume', async () => {
    await using rig = await testMaster(CONFIG);
    await rig.worker('w1', { boot: 'b1' });
    await rig.client.call('drainWorker', { params: { worker: 'w1' } });
    await rig.client.call('resumeWorker', { params: { worker: 'w1' } });
    await rig.restart();
    expect((await rig.client.call('worker', { params: { worker: 'w1' } })).draining).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { createFarmKey } from '../../../../src/net/tls/certificate.ts';
import { readSigningKey } from '../../../../src/protocol/bbx/keys.ts';
import { LIMITS } from '../../../../src/protocol/bbx/limits.ts';
import type { SessionEnd } from '../../../../src/protocol/bbx/line.ts';
import { serveMasterSession } from '../../../../src/protocol/bbx/master-session.ts';
import { PROBES } from '../../../../src/protocol/bbx/probe-desk.ts';
import { runSeries } from '../../../../src/protocol/bbx/probe-series.ts';
import { CLOSE } from '../../../../src/protocol/bbx/wire.ts';
import { greetMaster } from '../../../../src/protocol/bbx/worker-session.ts';
import { memoryWire } from '../../../rigs/memory-wire.ts';

const farm = readSigningKey(createFarmKey(), 'farm');
const exporter = Buffer.alloc(32, 7);
const { signal } = new AbortController();

/** A greeted master that was asked for nothing yet; `free` places for connections that rest. */
async function greeted(options: { free?: number; limits?: Partial<typeof LIMITS> } = {}) {
  const [mine, theirs] = memoryWire();
  const end = Promise.withResolvers<SessionEnd>();
  const limits = options.limits as Partial<typeof LIMITS>;
  let free = options.free ?? 1;
  serveMasterSession({
    socket: theirs,
    peer: '[2001:db8::7]:4711',
    exporter,
    key: farm,
    epoch: 'e1',
    software: 'test',
    clock: systemClock,
    limits,
    capabilities: [PROBES],
    mayHold() {
      if (free === 0) return undefined;
      free -= 1;
      return () => void (free += 1);
    },
    authenticate: async () => ({ let: 'out', reason: 'unknown' }),
    accept: () => {
      throw new Error('nobody authenticates here');
    },
    onRejected: end.resolve,
  });
  const options_ = { socket: mine, peer: 'master', exporter, pins: [], software: 'test', clock: systemClock };
  const master = await greetMaster({ ...options_, limits });
  return { master, mine, theirs, end: end.promise, freePlaces: () => free };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: { code?: string }) => String(error.code),
  );

describe('probes of a greeted master', () => {
  it('go up and down in every size, and tell what the master has seen', async () => {
    const { master } = await greeted();
    const series = await runSeries(master.ask, { signal });
    expect(series.stalled).toBeNull();
    expect(series.sizes.map(({ bytes }) => bytes)).toEqual([1, 1_300, 4_096, 65_536]);
    expect(series.sizes.every(({ upMs, downMs }) => upMs !== null && downMs !== null)).toBe(true);
    expect(series.seen).toMatchObject({ nonce: master.nonce, peer: '[2001:db8::7]:4711' });
    expect(series.rested).toMatchObject({
      restMs: 250,
      downMs: expect.any(Number),
      upMs: expect.any(Number),
    });
  });

  it.each([
    { way: 'up', loses: (text: string) => text.includes('"push"') },
    { way: 'down', loses: (text: string) => text.includes('"pulled"') },
  ] as const)('name the way $way where it alone loses large packets', async ({ way, loses }) => {
    const { master, mine, theirs } = await greeted();
    const socket = way === 'up' ? mine : theirs;
    const send = socket.sendText.bind(socket);
    socket.sendText = (text) => {
      if (text.length < 2_000 || !loses(text)) send(text);
    };
    const series = await runSeries(master.ask, { signal, stallMs: 100 });
    expect(series.stalled).toMatchObject({ bytes: 4_096, way });
  });

  it('give no more than was sent', async () => {
    const { master, end, theirs } = await greeted();
    await master.ask.push(1_000);
    await master.ask.pull(600);
    expect(await codeOf(master.ask.pull(401))).toBe('BBX-PRO-LOST');
    expect(await end).toMatchObject({ code: CLOSE.malformed });
    expect(theirs.sent.filter((message) => String(message).includes('"pulled"'))).toHaveLength(1);
  });

  it('share one budget, whatever is asked', async () => {
    const { master } = await greeted();
    const asked = Array.from({ length: 40 }, (_, index) =>
      codeOf(index % 2 === 0 ? master.ask.push(1) : master.ask.witness()),
    );
    const results = await Promise.all(asked);
    expect(results.filter((result) => result === 'fine').length).toBeLessThanOrEqual(LIMITS.echoBurst);
    expect(results).toContain('BBX-PRO-BUSY');
  });

  it('let a connection rest beyond the time for authentication and without a ping', async () => {
    const limits = { authenticationMs: 100, pingEveryMs: 20, silenceMs: 150 } as unknown as Partial<
      typeof LIMITS
    >;
    const { master, freePlaces, end } = await greeted({ limits });
    const held = master.ask.hold(0.4, 'master');
    await expect.poll(freePlaces).toBe(0);
    await held;
    await master.ask.push(1);
    master.close();
    await end;
    expect(freePlaces()).toBe(1);
  });

  it('refuse a rest when all places are taken', async () => {
    const { master } = await greeted({ free: 0 });
    expect(await codeOf(master.ask.hold(1, 'master'))).toBe('BBX-PRO-BUSY');
  });

  it('refuse a second rest: with one after the other a stranger would keep a place for ever', async () => {
    const { master, freePlaces, end } = await greeted();
    await master.ask.hold(0.01, 'master');
    expect(await codeOf(master.ask.hold(0.01, 'master'))).toBe('BBX-PRO-BUSY');
    await end;
    expect(freePlaces()).toBe(1);
  });

  it('end with the connection, also a rest that this side measures', async () => {
    const { master, theirs } = await greeted();
    const resting = codeOf(master.ask.hold(60, 'worker'));
    await master.ask.push(1);
    theirs.destroy();
    expect(await resting).toBe('BBX-PRO-LOST');
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HISTORY, type LinkRecord } from '../../../../src/protocol/bbx/link-facts.ts';
import type { WorkerMessage } from '../../../../src/protocol/bbx/messages.ts';
import type { WorkerSession } from '../../../../src/protocol/bbx/worker-session.ts';
import type { LinkHistory } from '../../../../src/runtime/worker/link-history.ts';
import { startLinkTeller } from '../../../../src/runtime/worker/link-teller.ts';
import { memoryHistory } from '../../../rigs/fuzz/memory-history.ts';
import { enterVirtualTime } from '../../../rigs/virtual-time.ts';

/** A teller of records with these numbers, two to a message; what it sends. */
function tellerOf(...numbers: number[]) {
  let waiting = numbers;
  const history: LinkHistory = {
    add: () => undefined,
    failed: () => undefined,
    untold: () =>
      waiting
        .slice(0, 2)
        .map((number): LinkRecord => ({ number, boot: 'b', at: 1, ago: 0, fact: { kind: 'ended' } })),
    told: (number) => void (waiting = waiting.filter((one) => one > number)),
    onUntold: undefined,
    close: async () => undefined,
  };
  const sent: number[][] = [];
  const session = {
    greeting: { capabilities: [HISTORY] },
    send: (message: WorkerMessage) =>
      void (message.type === 'history' && sent.push(message.records.map(({ number }) => number))),
  } as unknown as WorkerSession;
  const teller = startLinkTeller({ session, history, random: () => 0 });
  return { teller, history, sent, add: (number: number) => void waiting.push(number) };
}

describe('what a worker tells of its link', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells one message at a time, the next when the one before is stored', async () => {
    const { teller, sent } = tellerOf(1, 2, 3);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([[1, 2]]);
    teller.stored(2);
    expect(sent).toEqual([[1, 2], [3]]);
    teller.stored(3);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent).toHaveLength(2);
  });

  it('tells again what the master has left out, now and then', async () => {
    const { teller, history, sent, add } = tellerOf(1);
    await vi.advanceTimersByTimeAsync(5_000);
    add(2);
    history.onUntold?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual([[1]]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sent.length).toBeGreaterThan(1);
    expect(sent.length).toBeLessThan(5);
    expect(sent.at(-1)).toEqual([1, 2]);
    teller.stored(2);
    const { length } = sent;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent).toHaveLength(length);
  });

  it('tells nothing after its session', async () => {
    const { teller, sent } = tellerOf(1);
    await vi.advanceTimersByTimeAsync(5_000);
    teller.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent).toHaveLength(1);
  });
});

it('answers a master with the next records only where it has told some: words that nobody asked for bring nothing', async () => {
  using time = enterVirtualTime();
  let told = 0;
  const session = {
    greeting: { capabilities: [HISTORY] },
    send: () => void (told += 1),
  } as unknown as WorkerSession;
  const teller = startLinkTeller({ session, history: memoryHistory(() => 0), random: () => 0 });
  for (let times = 0; times < 100; times += 1) teller.stored(0);
  expect(told).toBe(0);
  await time.pass(500);
  expect(told).toBe(1);
  teller.stored(100);
  for (let times = 0; times < 100; times += 1) teller.stored(100);
  expect(told).toBe(2);
  teller.stop();
});

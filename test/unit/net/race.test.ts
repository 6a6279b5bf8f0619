import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Attempt } from '../../../src/net/evidence.ts';
import type { RaceFamily, RaceOptions } from '../../../src/net/race.ts';
import { race } from '../../../src/net/race.ts';

/** A network by table: after how many milliseconds each address connects, or with which code it refuses. No entry: silence. */
type Network = Record<string, { connectsMs?: number; refusesMs?: number; errno?: string; local?: boolean }>;

function rig(network: Network, families: RaceFamily[], more: Partial<RaceOptions<string>> = {}) {
  const started: { address: string; at: number }[] = [];
  const aborted: string[] = [];
  const discarded: string[] = [];
  const attempts: Attempt[] = [];
  const begin = performance.now();
  const result = race<string>({
    families,
    connect: (address, _family, signal) =>
      new Promise((resolve, reject) => {
        started.push({ address, at: performance.now() - begin });
        const { connectsMs, refusesMs, errno = 'ECONNREFUSED', local = false } = network[address] ?? {};
        if (connectsMs !== undefined) setTimeout(() => resolve(address), connectsMs);
        if (refusesMs !== undefined) {
          const message = `connect ${errno} ${address}${local ? ' - Local (::1:0)' : ''}`;
          setTimeout(() => reject(Object.assign(new Error(message), { code: errno })), refusesMs);
        }
        signal.addEventListener('abort', () => aborted.push(address));
      }),
    discard: (address) => discarded.push(address),
    label: (address) => address,
    onAttempt: (attempt) => attempts.push(attempt),
    ...more,
  }).then((value) => ({ ...value, took: performance.now() - begin }));
  return { result, started, aborted, discarded, attempts };
}

const after = (ms: number, addresses: string[]) =>
  new Promise<string[]>((resolve) => setTimeout(() => resolve(addresses), ms));
const dual = (six: Promise<string[]>, four: Promise<string[]>): RaceFamily[] => [
  { family: 6, addresses: six },
  { family: 4, addresses: four },
];
const now = (...addresses: string[]) => Promise.resolve(addresses);

describe('race', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function run<T>(promise: Promise<T>, ms = 60_000): Promise<T> {
    promise.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(ms);
    return promise;
  }

  it('prefers IPv6 when both answer', async () => {
    const { result, started } = rig(
      { six: { connectsMs: 20 }, four: { connectsMs: 1 } },
      dual(now('six'), now('four')),
    );
    const { winner, took } = await run(result);
    expect(winner).toEqual({ connection: 'six', address: 'six', family: 6 });
    expect(took).toBe(20);
    expect(started.map(({ address }) => address)).toEqual(['six']);
  });

  it('reaches a good IPv4 address within half a second when IPv6 is dead', async () => {
    const { result, aborted, attempts } = rig({ four: { connectsMs: 30 } }, dual(now('six'), now('four')));
    const { winner, took } = await run(result);
    expect(winner?.address).toBe('four');
    expect(took).toBe(280);
    expect(aborted).toEqual(['six']);
    expect(attempts.map(({ address, result: how }) => [address, how])).toEqual([
      ['four', 'connected'],
      ['six', 'cancelled'],
    ]);
  });

  it('lets a slow attempt go on while later ones run, so that a slow handshake still wins', async () => {
    const network = { six: { connectsMs: 1_000 } };
    const { result, started } = rig(network, dual(now('six'), now('four')));
    const { winner, took } = await run(result);
    expect(winner?.address).toBe('six');
    expect(took).toBe(1_000);
    expect(started.map(({ at }) => at)).toEqual([0, 250]);
  });

  it('starts the next attempt at once when one fails', async () => {
    const network = { six: { refusesMs: 3 }, four: { connectsMs: 5 } };
    const { winner, took } = await run(rig(network, dual(now('six'), now('four'))).result);
    expect(winner?.address).toBe('four');
    expect(took).toBe(8);
  });

  it('takes the families in turn', async () => {
    const { result, started } = rig({}, dual(now('a6', 'b6', 'c6'), now('a4')), { attemptLimitMs: 5_000 });
    await run(result);
    expect(started).toEqual([
      { address: 'a6', at: 0 },
      { address: 'a4', at: 250 },
      { address: 'b6', at: 500 },
      { address: 'c6', at: 750 },
    ]);
  });

  it.each([
    { late: 30, first: 'six', at: 30, why: 'waits a little for AAAA' },
    { late: 15_000, first: 'four', at: 50, why: 'waits at most 50 ms for AAAA' },
  ])('$why when A answers first', async ({ late, first, at }) => {
    const network = { six: { connectsMs: 1 }, four: { connectsMs: 1 } };
    const { result, started } = rig(network, dual(after(late, ['six']), now('four')));
    const { winner } = await run(result);
    expect(winner?.address).toBe(first);
    expect(started).toEqual([{ address: first, at }]);
  });

  it('goes on with A at once when AAAA answers that there is none', async () => {
    const { result, started } = rig({ four: { connectsMs: 1 } }, dual(after(10, []), now('four')));
    await run(result);
    expect(started).toEqual([{ address: 'four', at: 10 }]);
  });

  it('takes in addresses that arrive while attempts run', async () => {
    const network = { six: { connectsMs: 1 } };
    const { winner, took } = await run(rig(network, dual(after(2_000, ['six']), now('four'))).result);
    expect(winner?.address).toBe('six');
    expect(took).toBe(2_001);
  });

  it('waits for a late answer when everything else has failed', async () => {
    const network = { four: { refusesMs: 1 }, six: { connectsMs: 1 } };
    const { winner } = await run(rig(network, dual(after(3_000, ['six']), now('four'))).result);
    expect(winner?.address).toBe('six');
  });

  it('records every attempt with its code and who refused', async () => {
    const network = {
      six: { refusesMs: 1, errno: 'ENETUNREACH', local: true },
      four: { refusesMs: 2, errno: 'EHOSTUNREACH' },
    };
    const { attempts, winner } = await run(rig(network, dual(now('six'), now('four'))).result);
    expect(winner).toBeUndefined();
    expect(attempts).toMatchObject([
      { address: 'six', family: 6, result: 'refused', errno: 'ENETUNREACH', local: true, ms: 1 },
      { address: 'four', family: 4, result: 'refused', errno: 'EHOSTUNREACH', local: false, ms: 2 },
    ]);
  });

  it('gives each address its own limit, and says that it was silent', async () => {
    const { attempts, took, timedOut } = await run(
      rig({}, dual(now('six'), now('four')), { attemptLimitMs: 1_000 }).result,
    );
    expect(attempts.map(({ result, ms }) => [result, ms])).toEqual([
      ['silent', 1_000],
      ['silent', 1_000],
    ]);
    expect(took).toBe(1_250);
    expect(timedOut).toBe(false);
  });

  it('ends by the limit of the whole race, with a word about each address', async () => {
    const { attempts, took, timedOut } = await run(
      rig({}, dual(now('six'), after(90_000, ['four'])), { limitMs: 700 }).result,
    );
    expect(took).toBe(700);
    expect(timedOut).toBe(true);
    expect(attempts).toMatchObject([{ address: 'six', result: 'silent', ms: 700 }]);
  });

  it('has no winner and no attempt for a name without addresses', async () => {
    const { attempts, winner } = await run(rig({}, dual(now(), now())).result);
    expect({ attempts, winner }).toEqual({ attempts: [], winner: undefined });
  });

  it('rejects with the reason of the signal and cancels what runs', async () => {
    const abort = new AbortController();
    const { result, aborted } = rig({}, dual(now('six'), now('four')), { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 300);
    await expect(run(result)).rejects.toThrow('enough');
    expect(aborted).toEqual(['six', 'four']);
  });

  it('discards a connection that comes after the race is over', async () => {
    const network = { six: { connectsMs: 300 }, four: { connectsMs: 20 } };
    const { result, discarded } = rig(network, dual(now('six'), now('four')));
    expect((await run(result)).winner?.address).toBe('four');
    expect(discarded).toEqual(['six']);
  });

  it('tries every address at once and cancels none where all are waited for', async () => {
    const network = { a6: { connectsMs: 10 }, b6: { refusesMs: 5 } };
    const { result, started, discarded } = rig(network, dual(now('a6', 'b6'), now('a4')), {
      waitForAll: true,
      attemptLimitMs: 4_000,
    });
    const { attempts, winner } = await run(result);
    expect(started.map(({ at }) => at)).toEqual([0, 0, 0]);
    expect(winner).toBeUndefined();
    expect(attempts.map(({ address, result: how }) => [address, how])).toEqual([
      ['a6', 'connected'],
      ['b6', 'refused'],
      ['a4', 'silent'],
    ]);
    expect(discarded).toEqual(['a6']);
  });

  it('tries an address once, whoever names it twice', async () => {
    const { result, started } = rig({}, dual(now('same', 'same'), now()), { attemptLimitMs: 100 });
    await run(result);
    expect(started).toHaveLength(1);
  });
});

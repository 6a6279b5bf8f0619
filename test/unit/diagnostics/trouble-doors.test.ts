import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTroubleProbes } from '../../../src/diagnostics/doors/trouble.ts';
import type { Attempt } from '../../../src/diagnostics/facts/paths.ts';
import { AT, target, tried } from './recorded.ts';
import { V4, V6 } from './usual.ts';

/** Doors over connections that only say so; what was connected to, and how many at a time. */
function doors(attempts: Attempt[], more: { soak?: boolean; again?: readonly number[] } = {}) {
  const asked: string[] = [];
  const probes = createTroubleProbes({
    signal: new AbortController().signal,
    soak: more.soak ?? false,
    path: async () => ({ at: AT, attempts, listensHere: null }),
    async connect(address, port) {
      asked.push(`${address} ${port}`);
      return tried(address, 'connected');
    },
    handshakes: async () => [
      {
        address: V4,
        family: 4,
        attempts: (more.again ?? [2]).map((ms) => tried(V4, 'connected', { ms })),
      },
    ],
    gate: () => (work) => work(),
  });
  return { probes, asked };
}

describe('a series of connections', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const seriesOf = async (attempts: Attempt[], soak = false, again = [1_010, 2]) => {
    const { probes, asked } = doors(attempts, { soak, again });
    const series = probes.series(target());
    await vi.advanceTimersByTimeAsync(10_000);
    return { series: await series, asked };
  };

  it('is not made where no connection was late', async () => {
    const { series, asked } = await seriesOf([
      tried(V6, 'connected', { ms: 899 }),
      tried(V4, 'silent', { ms: 5_000 }),
    ]);
    expect({ series, asked }).toEqual({ series: [], asked: [] });
  });

  it('is made to the address whose first packet seems lost', async () => {
    const { series, asked } = await seriesOf([
      tried(V6, 'connected', { ms: 3 }),
      tried(V4, 'connected', { ms: 1_010 }),
    ]);
    expect(series).toMatchObject([{ address: V4, family: 4 }]);
    expect(series[0]?.attempts).toHaveLength(20);
    expect(new Set(asked)).toEqual(new Set([`${V4} 9989`]));
  });

  it('is not made to an address that is late each time, which PTH-05 tells', async () => {
    const late = [tried(V4, 'connected', { ms: 1_010 })];
    expect((await seriesOf(late, false, [1_010, 1_020, 1_005])).asked).toEqual([]);
  });

  it('is made to one address of each family when there is time for it', async () => {
    const open = [tried(V6, 'connected'), tried('2a00:2::11', 'connected'), tried(V4, 'connected')];
    const { asked } = await seriesOf(open, true);
    expect(new Set(asked)).toEqual(new Set([`${V6} 9989`, `${V4} 9989`]));
    expect(asked).toHaveLength(40);
  });

  it('is never made to this host itself', async () => {
    const { asked } = await seriesOf([tried('127.0.0.1', 'connected', { ms: 2_000 })], true);
    expect(asked).toEqual([]);
  });
});

describe('an address that nobody has', () => {
  it('is tried at the port of the target, over the families in which somebody answered', async () => {
    const { probes, asked } = doors([tried(V6, 'silent'), tried(V4, 'connected')]);
    const { attempts } = await probes.nobody(target());
    expect(asked).toEqual(['192.0.2.1 9989']);
    expect(attempts).toHaveLength(1);
  });

  it('is not tried for what answers on this host', async () => {
    const { probes, asked } = doors([tried('::1', 'connected'), tried('127.0.0.1', 'connected')]);
    expect((await probes.nobody(target())).attempts).toEqual([]);
    expect(asked).toEqual([]);
  });
});

describe('ping and mtr', () => {
  it('are not started where each family connects, or nothing left this host', async () => {
    const { probes } = doors([
      tried(V6, 'connected'),
      tried('2a00:2::11', 'silent'),
      tried(V4, 'EACCES', { local: true }),
    ]);
    expect(await probes.pings(target())).toBeUndefined();
    expect(await probes.traces(target())).toBeUndefined();
  });
});

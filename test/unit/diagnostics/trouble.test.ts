import { describe, expect, it } from 'vitest';
import { ping, trace } from '../../../src/diagnostics/doors/route-tools.ts';
import type { PingFact, TraceFact } from '../../../src/diagnostics/facts/trouble.ts';
import type { Asked } from '../../../src/exec/ask.ts';
import { report, tried } from './recorded.ts';
import { series } from './trouble-faults.ts';
import { open4, subjects, V4, v4only } from './usual.ts';

/** A tool that says so. */
const saying = (said: Partial<Asked>) => async (): Promise<Asked> => ({
  exit: 0,
  stdout: '',
  complaint: '',
  missing: false,
  ...said,
});

describe('twenty connections', () => {
  it.each<[string, Parameters<typeof series>[1], string, string]>([
    ['of which some waited', [1_020, 1_003], 'lost a packet on the way', 'proven'],
    [
      'of which some were refused',
      ['ECONNREFUSED', 'ECONNREFUSED', 1_003],
      'failed or came up late',
      'likely',
    ],
  ])('%s', async (_title, times, said, confidence) => {
    const trouble = { series: [series(V4, times)] };
    const { report: got } = await report({ names: [v4only], subjects, attempts: [open4], trouble });
    expect(got.findings.filter(({ id }) => id === 'PTH-10')).toMatchObject([
      { status: 'warn', title: expect.stringContaining(said) as string, confidence },
    ]);
  });
});

describe('what ping says', () => {
  it.each<[string, Partial<Asked>, Partial<PingFact> | undefined]>([
    [
      'an answer',
      {
        stdout:
          '64 bytes from 11.0.2.2: icmp_seq=1 ttl=63 time=0.112 ms\n\n1 packets transmitted, 1 received, 0% packet loss\n',
      },
      { outcome: 'answered', ms: 0.112 },
    ],
    [
      'no answer',
      { exit: 1, stdout: '1 packets transmitted, 0 received, 100% packet loss, time 0ms\n' },
      { outcome: 'silent', ms: null, said: '' },
    ],
    [
      'a router that knows no way',
      {
        exit: 1,
        stdout:
          'From 11.0.1.1 icmp_seq=1 Destination Net Unreachable\n\n1 packets transmitted, 0 received, +1 errors\n',
      },
      { outcome: 'silent', said: 'Destination Net Unreachable' },
    ],
    [
      'no privilege',
      { exit: 2, complaint: 'ping: socket: Operation not permitted' },
      { outcome: 'not asked', said: 'ping: socket: Operation not permitted' },
    ],
    ['that it hangs', { exit: null }, { outcome: 'not asked', said: 'it gave no answer in time' }],
    ['that it is not here', { exit: null, missing: true }, undefined],
  ])('%s', async (_, said, fact) => {
    const got = await ping('11.0.2.2', saying(said));
    if (fact === undefined) expect(got).toBeUndefined();
    else expect(got).toMatchObject({ address: '11.0.2.2', family: 4, ...fact });
  });
});

describe('what mtr says', () => {
  const hubs = (...hosts: [number, string][]) =>
    JSON.stringify({ report: { mtr: { src: 'vm' }, hubs: hosts.map(([count, host]) => ({ count, host })) } });
  it.each<[string, Partial<Asked>, Partial<TraceFact> | undefined]>([
    [
      'routers, and silence behind',
      { stdout: hubs([1, '2a00:1::1'], [2, '???'], [3, '2a00:9::1'], [4, '???']) },
      { hops: ['2a00:1::1', null, '2a00:9::1', null], problem: null },
    ],
    ['a list with a hole', { stdout: hubs([3, '2a00:9::1']) }, { hops: [null, null, '2a00:9::1'] }],
    ['a host that is no address', { stdout: hubs([1, '\u001b[31mevil']) }, { hops: [null], problem: null }],
    ['a distance without end', { stdout: hubs([4_000_000_000, '2a00:9::1']) }, { problem: null }],
    ['what is no JSON', { stdout: '{"report":' }, { hops: [], problem: 'its answer cannot be read' }],
    [
      'no privilege',
      { exit: 1, complaint: 'mtr: Failure to start mtr-packet: Invalid argument' },
      { hops: [], problem: 'mtr: Failure to start mtr-packet: Invalid argument' },
    ],
    ['that it is not here', { exit: null, missing: true }, undefined],
  ])('%s', async (_, said, fact) => {
    const got = await trace('2a00:2::2', 9989, saying(said));
    if (fact === undefined) expect(got).toBeUndefined();
    else expect(got).toMatchObject({ address: '2a00:2::2', family: 6, ...fact });
    expect(got?.hops.length ?? 0).toBeLessThanOrEqual(20);
  });
});

describe('a silent address', () => {
  const silence = { names: [v4only], subjects, attempts: [tried(V4, 'silent')] };
  const about = async (id: string, trouble: NonNullable<Parameters<typeof report>[0]['trouble']>) => {
    const { report: got } = await report({ ...silence, trouble });
    return got.findings.filter((finding) => finding.id === id);
  };

  it('that answers ping is told as a fact', async () => {
    expect(
      await about('PTH-12', { pings: [{ address: V4, family: 4, outcome: 'answered', ms: 3, said: '' }] }),
    ).toMatchObject([{ status: 'info', evidence: [{ got: 'an answer in 3 ms' }] }]);
  });

  it('of which ping may not ask stays unknown, with the reason', async () => {
    const said = 'ping: socket: Operation not permitted';
    expect(
      await about('PTH-12', { pings: [{ address: V4, family: 4, outcome: 'not asked', ms: null, said }] }),
    ).toMatchObject([{ status: 'unknown', title: expect.stringContaining(said) as string }]);
  });

  it('that does not answer ping either says nothing', async () => {
    const said = 'Destination Net Unreachable';
    expect(
      await about('PTH-12', { pings: [{ address: V4, family: 4, outcome: 'silent', ms: null, said }] }),
    ).toEqual([]);
    expect(await about('PTH-12', { pings: null })).toEqual([]);
  });

  it('is followed to the last router that answers', async () => {
    const trace: TraceFact = { address: V4, family: 4, hops: ['11.0.0.1', '11.0.4.1', null], problem: null };
    expect(await about('PTH-11', { traces: [trace] })).toMatchObject([
      { status: 'info', title: expect.stringContaining('as far as 11.0.4.1 (2 hops from here)') as string },
    ]);
    // Its own answer, or nobody's, tells no place.
    expect(await about('PTH-11', { traces: [{ ...trace, hops: ['11.0.0.1', V4] }] })).toEqual([]);
    expect(await about('PTH-11', { traces: [{ ...trace, hops: [null, null] }] })).toEqual([]);
    expect(await about('PTH-11', { traces: [{ ...trace, hops: [], problem: 'no right' }] })).toMatchObject([
      { status: 'unknown' },
    ]);
  });
});

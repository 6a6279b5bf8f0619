import { describe, expect, it } from 'vitest';
import type { OtherEnd } from '../../../src/diagnostics/facts/both-ends.ts';
import { readBothEnds } from '../../../src/diagnostics/doors/both-ends.ts';
import { link, literal, report, target, tried, type Case } from './recorded.ts';

const V4 = '11.0.5.10';
const subject = target(`${V4}:9989`, { vantage: 'worker:w7' });
const other = (reception: Partial<OtherEnd['receptions'][number]>): OtherEnd => ({
  worker: 'w7',
  receptions: [{ address: V4, accepted: [], halfOpen: [], bound: true, ...reception }],
});

const CONCLUSIONS: [title: string, given: Partial<Case>, words: RegExp][] = [
  [
    'silence, and the master saw nothing',
    { attempts: [tried(V4, 'silent')], otherEnd: other({}) },
    /Nothing that worker w7 sends to 11\.0\.5\.10:9989 arrives/,
  ],
  [
    'silence, and the master saw first packets',
    { attempts: [tried(V4, 'silent')], otherEnd: other({ halfOpen: ['11.0.0.2:4711'] }) },
    /answers do not come back/,
  ],
  [
    'a refusal where the master listens',
    { attempts: [tried(V4, 'ECONNREFUSED')], otherEnd: other({}) },
    /not by the master, which listens there/,
  ],
];

describe('what both ends saw', () => {
  it.each(CONCLUSIONS)('%s', async (_title, given, words) => {
    const { report: got } = await report({ names: [literal(V4)], subjects: [subject], ...given });
    const grave = got.findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map(({ id, vantage }) => `${id} ${vantage}`)).toEqual(['PTH-04 worker:w7']);
    expect(grave[0]?.title).toMatch(words);
  });

  it('is silent where the master saw all that came', async () => {
    const otherEnd = other({ accepted: ['11.0.0.2:4711'] });
    const given = { attempts: [tried(V4, 'connected')], links: [link(V4)], otherEnd };
    const { report: got } = await report({ names: [literal(V4)], subjects: [subject], ...given });
    expect(got.findings.filter(({ status }) => status !== 'info')).toEqual([]);
  });

  it('is joined by nonce and by address, whatever the notation', () => {
    const way = {
      ...{ target: 'ci.example:9989', host: 'ci.example', port: 9989, behindHops: false, raced: null },
      lookups: [{ family: 6, addresses: ['2a00:2::10'], errno: null, ms: 1 }],
      addresses: [
        {
          ...{
            address: '2a00:2::10',
            family: 6,
            port: 9989,
            outcome: 'connected',
            errno: null,
            local: false,
          },
          ms: 3,
          met: {
            ...{ nonce: 'bm9uY2U=', instance: 'sha256:a', tls: true, code: null, problem: null, ms: 5 },
            ...{ localEnd: '[2a00:1::2]:4711', series: link('2a00:2::10').series },
          },
        },
      ],
    };
    const [ends] = readBothEnds({
      ...{ worker: 'w7', at: 0, peer: '[2a00:1::2]:4000', bound: ['[::]:9989'], ways: [way] },
      arrivals: [{ peer: '[2a00:9::1]:999', local: '[2a00:2::10]:9989', nonce: 'bm9uY2U=' }],
      half_open: [{ peer: '[2a00:1::2]:5000', local: '[2a00:2::11]:9989' }],
    });
    expect(ends?.links[0]?.series?.seen).toMatchObject({ nonce: 'bm9uY2U=', peer: '[2a00:9::1]:999' });
    expect(ends?.other.receptions).toEqual([
      { address: '2a00:2::10', accepted: ['[2a00:9::1]:999'], halfOpen: [], bound: true },
    ]);
    expect(ends?.target.vantage).toBe('worker:w7');
  });

  it('is not known of a way through hops, where nothing was tried', async () => {
    const way = { target: 'ci.example:9989', host: 'ci.example', port: 9989, behindHops: true };
    const [ends] = readBothEnds({
      ...{ worker: 'w7', at: 0, peer: '[2a00:1::2]:4000', bound: ['[::]:9989'] },
      ways: [{ ...way, lookups: [], addresses: [], raced: null }],
      ...{ arrivals: [], half_open: [] },
    });
    const { report: got, mustKnow } = await report({
      subjects: [ends!.target],
      names: [ends!.name],
      path: ends!.path,
      // Those whose facts a worker tells.
      only: ['DNS-02', 'PTH-01', 'PTH-02', 'PTH-04', 'PTH-06', 'PRO-01', 'PRO-03', 'PRO-09'],
    });
    expect(got.findings.filter(({ status }) => status !== 'info')).toMatchObject([
      { id: 'PTH-01', status: 'unknown', title: expect.stringContaining('through hops') as string },
    ]);
    expect(mustKnow).toBe(true);
  });

  it('refuses what is no answer of a worker', () => {
    const answer = { worker: 'w7', at: 0, peer: '', bound: [], arrivals: [], half_open: null };
    expect(() => readBothEnds({ ...answer, ways: [{ target: 'x' }] })).toThrow();
  });
});

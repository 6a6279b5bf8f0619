import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../../src/diagnostics/verdicts.ts';
import { DEAD, LINKS, OPEN, rest, V4, V6 } from './link-faults.ts';
import { AT, link, peer, report, target, tried, type Case } from './recorded.ts';

describe('what probes show of a connection', () => {
  it.each(LINKS)('%s', async (_title, given, [root], _verdict, words) => {
    const { report: got } = await report({ ...OPEN, ...given });
    expect(got.findings.find(({ id }) => id === root)?.title).toMatch(words);
  });

  it.each<[string, Partial<Case>]>([
    ['all is well', {}],
    ['every rest is survived', { rests: [rest(30), rest(75), rest(300)] }],
    [
      'a master answers no probes',
      { links: [link(V6, { able: false, series: null }), link(V4, { able: false, series: null })] },
    ],
    [
      'one slow handshake of five, which is a lost packet',
      {
        handshakes: [
          {
            address: V6,
            family: 6,
            attempts: [1_020, 2, 2, 2, 2].map((ms) => tried(V6, 'connected', { ms })),
          },
        ],
      },
    ],
  ])('is silent where %s', async (_title, given) => {
    const { report: got } = await report({ ...OPEN, ...given });
    expect(got.findings.filter(({ status }) => status !== 'info')).toEqual([]);
  });

  it('names a translated address as a fact', async () => {
    const links = [link(V6), link(V4, { localEnd: '192.168.7.2:4711' })];
    const { report: got } = await report({ ...OPEN, links });
    expect(got.findings).toMatchObject([{ id: 'PTH-13', status: 'info' }]);
    expect(got.findings[0]?.title).toContain('sees this host as 11.0.0.2');
  });

  it('says that rests were not tested, and never that they are well', async () => {
    const { report: got } = await report(OPEN);
    expect(got.checks.find(({ id }) => id === 'PTH-07')).toMatchObject({
      status: 'skip',
      because: expect.stringContaining('--soak'),
    });
  });
});

describe('the rungs of echo, rest and witness', () => {
  const facts = {
    name: OPEN.names?.[0],
    sources: undefined,
    path: { at: AT, attempts: OPEN.attempts ?? [], listensHere: null },
    peers: [peer(V6), peer(V4)],
    authentication: undefined,
  };
  const large = { bytes: 4_096, way: 'up' } as const;
  it.each([
    ['every address', [link(V6), link(V4)], undefined, { R7: 'ok', R8: 'not-tested', R9: 'ok' }, 'reachable'],
    ['one of two', [link(V6, {}, large), link(V4)], undefined, { R7: '1/2', R9: 'ok' }, 'degraded'],
    ['none', [link(V6, {}, large), link(V4, {}, large)], undefined, { R7: 'fail' }, 'unreachable'],
    ['a rest is not survived', [link(V6)], [rest(30), rest(75, DEAD)], { R8: '1/2' }, 'reachable'],
    ['no probes', [link(V6, { able: false, series: null })], undefined, { R7: 'not-tested' }, 'reachable'],
  ] as const)('%s', (_title, links, rests, rungs, verdict) => {
    expect(verdictOf(target(), 'here', { ...facts, links, rests })).toMatchObject({ verdict, rungs });
  });
});

describe('a slow connection', () => {
  const slow = OPEN.attempts?.map((attempt) => ({ ...attempt, ms: 1_030 })) ?? [];
  const again = (...ms: number[]) =>
    slow.map(({ address, family }) => ({
      address,
      family,
      attempts: [1_030, ...ms].map((each) => tried(address, 'connected', { ms: each })),
    }));
  it.each([
    ['was not measured again', undefined, 'degraded', 'ok 1030ms via 6'],
    ['once, when a packet was lost', again(2, 2, 2, 2), 'reachable', 'ok 2ms via 6'],
    ['each time', again(1_010, 1_020, 1_020, 1_020), 'degraded', 'ok 1010ms via 6'],
  ])('that %s is %j', (_title, handshakes, verdict, bbx) => {
    const facts = {
      name: OPEN.names?.[0],
      sources: undefined,
      path: { at: AT, attempts: slow, listensHere: null },
      peers: [peer(V6), peer(V4)],
      authentication: undefined,
    };
    expect(verdictOf(target(), 'here', { ...facts, handshakes })).toMatchObject({
      verdict,
      clients: { bbx },
    });
  });
});

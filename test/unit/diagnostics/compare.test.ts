import { describe, expect, it } from 'vitest';
import { doctorReport, type DoctorReport } from '../../../src/api/doctor.ts';
import { compareReports } from '../../../src/diagnostics/compare.ts';
import { sideOf } from '../../../src/diagnostics/compare-sides.ts';
import type { Attempt, PeerFact } from '../../../src/diagnostics/facts/paths.ts';
import { exitOf } from '../../../src/diagnostics/report.ts';
import { namesInReports } from '../../../src/diagnostics/share-names.ts';
import { createPseudonyms } from '../../../src/diagnostics/share.ts';
import { heard, host, address, name, peer, reply, row, tried } from './recorded.ts';

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';

function reportOf(vantage: string, facts: DoctorReport['facts']): DoctorReport {
  return {
    ...{
      schema: 'bbx.doctor/1',
      verdict: 'ok',
      code: '46',
      summary: {},
      checks: [],
      findings: [],
      verdicts: [],
    },
    ...{ at: '2026-11-22T06:00:00.000Z', vantage, facts },
  } as unknown as DoctorReport;
}

/** What the worker's end saw. */
function worker(
  attempts: Attempt[],
  more: { peers?: PeerFact[]; nonce?: string; published?: string[] } = {},
) {
  const { peers, nonce, published = [V6] } = more;
  return sideOf(
    'worker.json',
    reportOf('worker:w7', [
      { probe: 'host', about: 'this host', facts: host({ hostname: 'w7' }) },
      {
        probe: 'name',
        about: 'ci.example',
        facts: name('ci.example', reply('answer', [V4]), reply('answer', published)),
      },
      { probe: 'path', about: 'ci.example:9989', facts: { at: '', attempts, listensHere: null } },
      ...(peers === undefined ? [] : [{ probe: 'peers', about: 'ci.example:9989', facts: peers }]),
      ...(nonce === undefined
        ? []
        : [
            {
              probe: 'links',
              about: 'ci.example:9989',
              facts: [{ address: V6, localEnd: '[2a00:1::2]:4711', nonce }],
            },
          ]),
    ]),
  );
}

/** What the master's end has. */
function master(
  more: {
    rows?: ReturnType<typeof row>[];
    own?: Attempt[];
    instance?: string;
    accepted?: object[];
    published?: string[];
  } = {},
) {
  const { rows = [row('::')], own = [], instance, accepted, published = [V6] } = more;
  const here = host({
    hostname: 'ci',
    addresses: [address(V4, { family: 4 }), address(V6), address('::1', { kind: 'loopback' })],
  });
  return sideOf(
    'master.json',
    reportOf('master', [
      { probe: 'host', about: 'this host', facts: here },
      {
        probe: 'name',
        about: 'ci.example',
        facts: name('ci.example', reply('answer', [V4]), reply('answer', published)),
      },
      { probe: 'listener', about: '[::]:9989', facts: heard({ rows, attempts: own }) },
      ...(instance === undefined
        ? []
        : [{ probe: 'listenerPeers', about: '[::]:9989', facts: [{ ...peer(V6), instance }] }]),
      ...(accepted === undefined ? [] : [{ probe: 'accepted', about: '[::]:9989', facts: accepted }]),
    ]),
  );
}

const open6 = tried(V6, 'connected');
const silent6 = tried(V6, 'silent');
const refused = (at: string) => tried(at, 'ECONNREFUSED');
const CASES: [
  title: string,
  worker: ReturnType<typeof worker>,
  master: ReturnType<typeof master>,
  id: string,
  words: RegExp,
][] = [
  ['no answer, and the other end listens', worker([silent6]), master(), 'PTH-04', /dropped on the way/],
  [
    'no answer, and the other end took the connection',
    worker([silent6], { nonce: 'n1' }),
    master({ accepted: [{ nonce: null, peer: '[2a00:1::2]:4711' }] }),
    'PTH-04',
    /lost on the way back/,
  ],
  [
    'refused, and the other end listens on IPv4 alone',
    worker([refused(V6)]),
    master({ rows: [row('0.0.0.0')] }),
    'LSN-02',
    /not listen on IPv6/,
  ],
  [
    'refused, and [::] is IPv6 alone there',
    worker([refused(V4)]),
    master({ own: [refused(V4)] }),
    'LSN-02',
    /not listen on IPv4/,
  ],
  ['refused, and nothing listens', worker([refused(V6)]), master({ rows: [] }), 'LSN-01', /Nothing listens/],
  [
    'refused, and it listens on loopback',
    worker([refused(V6)]),
    master({ rows: [row('::1')] }),
    'LSN-08',
    /loopback alone/,
  ],
  ['refused, and the other end listens', worker([refused(V6)]), master(), 'PTH-04', /filter between/],
  [
    'an address that the other end does not have',
    worker([tried('2a00:9::9', 'silent')]),
    master(),
    'PTH-04',
    /no address of the other end/,
  ],
  ['loopback of another host', worker([refused('::1')]), master(), 'DNS-06', /itself/],
  [
    'another master answers',
    worker([open6], { peers: [{ ...peer(V6), instance: 'sha256:b' }] }),
    master({ instance: 'sha256:a' }),
    'PRO-01',
    /Another master/,
  ],
  [
    'somebody answers, and the other end saw nothing',
    worker([open6], { nonce: 'n1' }),
    master({ accepted: [{ nonce: 'n2', peer: '[2a00:1::3]:1' }] }),
    'PRO-01',
    /saw nothing/,
  ],
];

describe('two reports together', () => {
  it.each(CASES)('%s', (_title, one, other, id, words) => {
    // Which of the two is named first makes no difference.
    for (const [a, b] of [
      [one, other],
      [other, one],
    ] as const) {
      const reported = compareReports(a, b);
      const [first] = reported.report.findings;
      expect(first).toMatchObject({ id, status: 'error', vantage: 'worker:w7' });
      expect(first?.title).toMatch(words);
      expect(first?.evidence.length).toBeGreaterThan(1);
      expect(exitOf(reported, { strict: false, failOn: 'error' })).toBe(1);
      expect(doctorReport.parse(reported.report)).toEqual(reported.report);
    }
  });

  it('is a warning where another address works', () => {
    const { report } = compareReports(worker([silent6, tried(V4, 'connected')]), master());
    expect(report.findings.map(({ id, status }) => [id, status])).toEqual([['PTH-04', 'warn']]);
    expect(report.verdicts).toMatchObject([{ verdict: 'degraded', rungs: { R2: '1/2' } }]);
  });

  it('finds nothing where both ends say the same', () => {
    const reported = compareReports(worker([open6]), master());
    expect(reported.report).toMatchObject({
      verdict: 'ok',
      findings: [],
      verdicts: [{ verdict: 'reachable' }],
    });
    expect(exitOf(reported, { strict: true, failOn: 'error' })).toBe(0);
  });

  it('tells of a translated address without alarm, and of names that differ', () => {
    const nat = compareReports(worker([tried('2a00:9::9', 'connected')]), master());
    expect(nat.report.findings).toMatchObject([{ id: 'PTH-13', status: 'info' }]);
    const split = compareReports(worker([open6]), master({ published: ['2a00:2::99'] }));
    expect(split.report.findings).toMatchObject([{ id: 'DNS-15', status: 'warn', target: 'ci.example' }]);
  });

  it('is not known where they have nothing in common', () => {
    const reported = compareReports(worker([open6]), worker([open6]));
    expect(reported.report).toMatchObject({ verdict: 'unknown', findings: [{ status: 'unknown' }] });
    expect(exitOf(reported, { strict: false, failOn: 'error' })).toBe(12);
  });
});

describe('a comparison that is shown to others', () => {
  it('has one stand-in for what both ends name', () => {
    const [mine, theirs] = [worker([silent6]), master()];
    const { report } = compareReports(mine, theirs);
    const shown = JSON.stringify(createPseudonyms(namesInReports([mine.report, theirs.report]))(report));
    for (const text of ['ci.example', 'w7', V4, V6, '2a00:2:']) expect(shown).not.toContain(text);
    // The address that the worker tried is one that the master's host has.
    const [tried6] = /2001:db8:[\da-f:]+/.exec(shown) ?? [];
    expect(tried6).toBeDefined();
    expect(shown.split(tried6!).length - 1).toBe(JSON.stringify(report).split(V6).length - 1);
  });
});

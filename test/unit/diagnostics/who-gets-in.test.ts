import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/api/doctor.ts';
import { whoGetsIn } from '../../../src/diagnostics/who-gets-in.ts';
import { verdictOf, type TargetFacts } from '../../../src/diagnostics/verdicts.ts';
import { AT, literal, peer, target, tried } from './recorded.ts';

const clients = {
  bbx: 'ok 2ms via 6',
  'node-default': 'ok 2ms via 6',
  'twisted-tcp': 'fail (no A record)',
  'twisted-tls': 'ok 302ms via 6',
  sequential: 'ok 127002ms via 4',
  'curl/git': 'unknown',
};

function verdict(more: Partial<Verdict>): Verdict {
  return {
    from: 'here',
    to: 'ci.example:9989',
    plane: 'worker',
    verdict: 'reachable',
    rungs: { R2: 'ok', R4: 'ok' },
    clients,
    ...more,
  };
}

describe('who gets in', () => {
  it('names programs as people know them, together by their way', () => {
    expect(whoGetsIn([verdict({})])).toEqual([
      {
        head: 'ci.example:9989: reachable',
        ways: [
          ['over IPv6', 'bbx, Node, Buildbot tls:'],
          ['not', 'Buildbot tcp:'],
          ['over IPv4 after 127 s', 'Python'],
          ['not known', 'curl and git'],
        ],
      },
    ]);
  });

  it.each<[Partial<Verdict>, string]>([
    [{ verdict: 'unreachable', rungs: { R2: 'fail' } }, 'unreachable, no connection comes up'],
    [
      { verdict: 'unreachable', rungs: { R2: 'ok', R4: 'ok', R6: 'fail' } },
      'unreachable, the master does not let this worker in',
    ],
    [{ verdict: 'wrong-peer', rungs: { R2: 'ok', R4: 'fail' } }, 'wrong-peer, another program answers'],
    [{ verdict: 'unknown' }, 'not known'],
    [
      { verdict: 'unknown', rungs: { R2: 'ok', R3: 'not-tested', R4: 'not-tested' } },
      'connects; who answers was not asked',
    ],
  ])('says nothing of TCP where what comes after it fails: %j', (more, head) => {
    expect(whoGetsIn([verdict(more)])).toEqual([{ head: `ci.example:9989: ${head}`, ways: [] }]);
  });

  it('leaves out what was not tried', () => {
    expect(whoGetsIn([verdict({ clients: {} })])).toEqual([]);
  });
});

describe('the verdict of a target', () => {
  const facts: TargetFacts = {
    name: literal('11.0.0.1'),
    sources: undefined,
    path: { at: AT, attempts: [tried('11.0.0.1', 'connected')], listensHere: null },
    peers: [peer('11.0.0.1')],
    authentication: undefined,
  };
  it.each<[title: string, more: Partial<TargetFacts>, verdict: Verdict['verdict'], r6: string]>([
    ['nobody asked with a key', {}, 'reachable', 'not-tested'],
    [
      'the worker waits for approval',
      { authentication: { accepted: false, code: 'BBX-PRO-PENDING', message: '', hint: null } },
      'degraded',
      'fail',
    ],
    [
      'the worker is unknown',
      { authentication: { accepted: false, code: 'BBX-PRO-UNKNOWN', message: '', hint: null } },
      'unreachable',
      'fail',
    ],
    [
      "the worker's key is another user's",
      { authentication: { accepted: null, code: 'EACCES', message: '', hint: null } },
      'reachable',
      'unknown',
    ],
    [
      'a stranger answers',
      { peers: [peer('11.0.0.1', { kind: 'http', instance: null })] },
      'wrong-peer',
      'not-tested',
    ],
    [
      'its address leads over no interface, and so nothing was tried',
      { path: undefined, peers: undefined, leadsNowhere: true },
      'unreachable',
      'not-tested',
    ],
    [
      'nothing was tried, and nobody knows why',
      { path: undefined, peers: undefined },
      'unknown',
      'not-tested',
    ],
    [
      'it closes at once',
      { peers: [peer('11.0.0.1', { kind: 'closed', instance: null, tls: null })] },
      'unreachable',
      'not-tested',
    ],
  ])('where %s', (_title, more, word, r6) => {
    const got = verdictOf(target('11.0.0.1:9989'), 'here', { ...facts, ...more });
    expect(got).toMatchObject({ verdict: word, rungs: { R6: r6 } });
  });
});

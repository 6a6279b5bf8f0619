import { describe, expect, it } from 'vitest';
import { linkEvents } from '../../../../../src/runtime/master/workers/link-story.ts';
import type { LinkFactRow, LinkSessionRow } from '../../../../../src/store/links.ts';

const A = '[2001:db8::a]:4711';
const B = '[2001:db8::b]:4712';

/** A session of a worker, as a row. */
function session(id: number, opened_at: number, more: Partial<LinkSessionRow> = {}): LinkSessionRow {
  return {
    ...{ linkid: id, workerid: 1, session: `s${id}`, life: 'L', boot: 'boot-1', peer: A, opened_at },
    ...{ away_ms: null, ahead: 0, seen_at: opened_at, closed_at: null, silent_ms: null, code: null },
    ...{
      reason: null,
      closed_by: null,
      rtt_ms: null,
      rtt_max_ms: null,
      pings: 0,
      missed: 0,
      received: 0,
      sent: 0,
    },
    ...more,
  };
}
/** How it ended, as the master saw it. */
const cut = (closed_at: number) => ({
  closed_at,
  code: 1006,
  closed_by: 'nobody',
  reason: 'reset',
  silent_ms: 100,
});

let number = 0;
function fact(at: number, kind: string, more: object = {}, boot = 'boot-1'): LinkFactRow {
  number += 1;
  return { boot, number, at, said_at: at, fact: { kind, ...more } };
}
const up = (at: number, of: number, local: string) => fact(at, 'up', { session: `s${of}`, local });
const down = (at: number, of: number, more: object = {}) =>
  fact(at, 'down', {
    session: `s${of}`,
    by: 'nobody',
    code: 1006,
    reason: 'ECONNRESET',
    silentMs: 0,
    lastedMs: 9,
    ...more,
  });

const always = { from: 0, to: null };

describe('the story of a lost link', () => {
  it('is told from both sides: when, for how long, and that the address changed', () => {
    const [event, ...rest] = linkEvents(
      [
        // The new session came before the master had noticed the end of the old one.
        session(1, 50, {
          closed_at: 102.2,
          code: 1000,
          closed_by: 'master',
          reason: 'replaced',
          silent_ms: 4_000,
        }),
        session(2, 102.1, { peer: B }),
      ],
      [
        up(50, 1, A),
        down(100, 1),
        fact(101, 'failed', { code: 'BBX-NET-UNREACHABLE', times: 2 }),
        up(102.1, 2, B),
      ],
      always,
    );
    expect(rest).toEqual([]);
    expect(event).toMatchObject({
      lost_at: 100,
      back_at: 102.1,
      cause: 'address-changed',
      words:
        "worker's address changed from [2001:db8::a] to [2001:db8::b], 2 tries to come back failed (BBX-NET-UNREACHABLE)",
      from: A,
      to: B,
      tries: 2,
      worker: 'the connection was gone (ECONNRESET)',
    });
    expect(event?.seconds).toBeCloseTo(2.1);
  });

  it('begins at the last byte where a side noticed by silence', () => {
    const silent = { closed_at: 135, code: 4003, closed_by: 'nobody', reason: 'silent', silent_ms: 35_000 };
    const [event] = linkEvents([session(1, 50, silent), session(2, 140)], [], always);
    expect(event).toMatchObject({
      lost_at: 100,
      back_at: 140,
      cause: 'silent',
      words: 'the master heard nothing for 35 s',
    });
    expect(event?.worker).toBeNull();
  });

  it.each([
    ['slept', {}, {}, [fact(101, 'slept', { seconds: 600 })], /machine slept for 600.0 s/],
    ['stalled', {}, {}, [fact(101, 'stalled', { seconds: 42 })], /did not run for 42.0 s/],
    ['worker-restarted', {}, { boot: 'boot-2' }, [], /process died and was started again/],
    ['worker-restarted', {}, { boot: 'boot-2' }, [fact(100, 'ended')], /was stopped and started again/],
    // Its own record is still on the way.
    [
      'worker-restarted',
      { code: 1000, closed_by: 'worker' },
      { boot: 'boot-2' },
      [],
      /was stopped and started again/,
    ],
    [
      'replaced',
      { code: 4002, closed_by: 'master' },
      { boot: 'boot-2', peer: B },
      [],
      /took its name, from \[2001:db8::b\]:4712/,
    ],
    ['master-restarted', { code: 1001, closed_by: 'master' }, { life: 'M' }, [], /the master was stopped/],
    ['master-restarted', { code: null, closed_by: 'master' }, { life: 'M' }, [], /the master died/],
    [
      'closed-by-master',
      { code: 4005, closed_by: 'master', reason: 'not reading' },
      {},
      [],
      /the master ended the session \(not reading\)/,
    ],
    [
      'closed-by-worker',
      { code: 1000, closed_by: 'worker', reason: '' },
      {},
      [],
      /^the worker ended the session$/,
    ],
    ['cut', {}, {}, [], /the connection was cut \(reset\)/],
  ] as const)('names the root: %s', (cause, before, after, facts, words) => {
    const [event] = linkEvents(
      [session(1, 50, { ...cut(100), ...before }), session(2, 103, after)],
      facts,
      always,
    );
    expect(event).toMatchObject({ cause, words: expect.stringMatching(words) as string });
  });

  it('begins when the worker noticed it, where the master was killed: its last row is up to a minute older', () => {
    const killed = { closed_at: 60, code: null, closed_by: 'master', reason: 'the master was killed' };
    const [event] = linkEvents(
      [session(1, 50, killed), session(2, 103, { life: 'M' })],
      [down(100, 1), up(103, 2, A)],
      always,
    );
    expect(event).toMatchObject({ lost_at: 100, back_at: 103, master: 'it was killed' });
  });

  it('counts the tries that came between, by the order of the records', () => {
    const refused = { code: 'BBX-NET-REFUSED', target: 't', got: '' };
    const facts = [
      ...[fact(98.9, 'failed', { ...refused, times: 7 }), up(99, 1, A)],
      ...[down(100, 1), fact(101, 'failed', { ...refused, times: 2 }), up(102, 2, A)],
      ...[down(104, 2), fact(104.5, 'failed', { ...refused, times: 4 }), up(105, 3, A)],
    ];
    const sessions = [session(1, 99, cut(100)), session(2, 102, cut(104)), session(3, 105)];
    expect(linkEvents(sessions, facts, always).map(({ tries }) => tries)).toEqual([2, 4]);
  });

  it('counts no try of the loss before, where the worker died before it wrote the end of its session down', () => {
    const sessions = [
      session(1, 50, cut(100)),
      session(2, 103, cut(103.2)),
      session(3, 106, { boot: 'boot-2' }),
    ];
    const failed = (at: number, boot?: string) => fact(at, 'failed', { code: 'BBX-NET-TLS', times: 2 }, boot);
    const facts = [
      ...[up(50, 1, A), down(100, 1), failed(101), up(103, 2, A)],
      ...[failed(105, 'boot-2'), fact(106, 'up', { session: 's3', local: A }, 'boot-2')],
    ];
    expect(linkEvents(sessions, facts, always).map(({ tries }) => tries)).toEqual([2, 2]);
  });

  it('counts the tries of a worker whose full disk has made its numbers go back', () => {
    const sessions = [session(1, 50, cut(100)), session(2, 106, { boot: 'boot-2' })];
    const facts = [
      { ...up(50, 1, A), number: 50 },
      { ...fact(105, 'failed', { code: 'BBX-NET-TLS', times: 2 }, 'boot-2'), number: 46 },
      { ...fact(106, 'up', { session: 's2', local: A }, 'boot-2'), number: 47 },
    ];
    expect(linkEvents(sessions, facts, always).map(({ tries }) => tries)).toEqual([2]);
  });

  it('goes on while nobody is back', () => {
    expect(linkEvents([session(1, 50, cut(100))], [], always)).toMatchObject([
      { lost_at: 100, back_at: null, seconds: null, to: null },
    ]);
  });

  it('concerns a build only when it touches the build’s time', () => {
    const sessions = [
      session(1, 0, cut(10)),
      session(2, 20, cut(100)),
      session(3, 110, cut(200)),
      session(4, 210),
    ];
    const lost = (from: number, to: number | null) =>
      linkEvents(sessions, [], { from, to }).map(({ lost_at }) => lost_at);
    expect(lost(30, 90)).toEqual([]);
    expect(lost(30, 105)).toEqual([100]);
    expect(lost(105, 205)).toEqual([100, 200]);
    expect(lost(205, null)).toEqual([200]);
  });

  it('takes a worker’s words as words: numbers that are none, and records without end', () => {
    const strange = [
      fact(100, 'failed', { code: '\u001b[2J', times: 'many' }),
      fact(100, 'slept', { seconds: 'x' }),
    ];
    expect(() => linkEvents([session(1, 50, cut(100)), session(2, 103)], strange, always)).not.toThrow();
  });
});

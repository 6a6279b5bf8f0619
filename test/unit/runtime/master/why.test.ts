import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../../../src/runtime/master/match.ts';
import {
  whyChange,
  type ChangeFacts,
  type SchedulerFacts,
} from '../../../../src/runtime/master/why-change.ts';
import {
  whyBuild,
  whyNotWorker,
  whyRequest,
  type BuildFacts,
  type RequestFacts,
} from '../../../../src/runtime/master/why.ts';

const worker = (over: Partial<Candidate> = {}): Candidate => ({
  name: 'w',
  state: 'approved',
  connected: true,
  seenAt: 50,
  paused: false,
  draining: false,
  resting: false,
  refusedWhy: null,
  tags: ['linux'],
  maxBuilds: 2,
  building: new Set(),
  ...over,
});

const request = (over: Partial<RequestFacts> = {}): RequestFacts => ({
  id: 17,
  builder: 'app',
  builderActive: true,
  wants: { tags: ['linux'], names: [] },
  submittedAt: 10,
  claimed: false,
  result: null,
  completeAt: null,
  cancelReason: null,
  masterDraining: false,
  storeTrouble: undefined,
  before: 0,
  builds: [],
  ...over,
});

describe('whyNotWorker', () => {
  it.each<[Partial<Candidate>, string, number | null]>([
    [{ state: 'removed' }, 'it was removed from the farm', null],
    [{ state: 'invited', connected: false }, 'it was invited and has never come', null],
    [{ state: 'pending', connected: false }, 'it waits for approval: bbx worker approve w', 50],
    [{ tags: ['mac'], connected: false }, 'it lacks tag "linux"', null],
    [{ connected: false }, 'it is not connected', 50],
    [{ connected: false, seenAt: null }, 'it has never connected', null],
    [{ paused: true }, 'it is paused: bbx worker resume w', null],
    [
      { draining: true },
      'it is draining: it takes nothing new until its process starts again, or until: bbx worker resume w',
      null,
    ],
    [
      { resting: true, refusedWhy: 'no room' },
      'it refused a build (no room) and rests before it is asked again; at once: bbx worker resume w',
      null,
    ],
    [{ building: new Set(['app']) }, 'it runs a build of this builder now, one at a time', null],
    [{ building: new Set(['x', 'y']) }, 'it is busy: 2 of 2', null],
    [{}, 'it is free: the request starts with the next round', null],
  ])('of %j says "%s"', (over, reason, since) => {
    expect(whyNotWorker(request(), worker(over))).toEqual({ reason, since });
  });

  it('names the workers that a builder wants', () => {
    const wants = { tags: [], names: ['a', 'b'] };
    expect(whyNotWorker(request({ wants }), worker()).reason).toBe('the builder wants "a" or "b"');
  });
});

describe('whyRequest', () => {
  it.each<[string, Partial<RequestFacts>, Candidate[], RegExp]>([
    ['an empty farm', {}, [], /the farm has no worker; add one with: bbx worker add NAME/],
    ['no fitting worker', {}, [worker({ tags: [] })], /no worker of the farm fits its builder/],
    [
      'fitting workers away',
      {},
      [worker({ connected: false })],
      /no fitting worker takes work now \(1 would fit\)/,
    ],
    [
      'its turn',
      { before: 3 },
      [worker()],
      /waits for one of 1 fitting worker; 3 of this builder go before it/,
    ],
    ['a builder that left', { builderActive: false }, [worker()], /its builder is not in the configuration/],
    ['a draining master', { masterDraining: true }, [worker()], /the master is draining/],
    ['nothing any more', { result: 'success' }, [worker()], /has ended: success/],
    [
      'nothing, as it runs',
      { claimed: true, builds: [{ buildid: 1, number: 4, worker: 'w', result: null, startedAt: 20 }] },
      [worker()],
      /is running as app\/4 on worker "w"/,
    ],
  ])('says that a request waits for %s', (_, over, roster, summary) => {
    expect(whyRequest(request(over), roster).summary).toMatch(summary);
  });

  it('gives each worker one reason', () => {
    const { reasons } = whyRequest(request(), [
      worker({ name: 'a', paused: true }),
      worker({ name: 'b', tags: [] }),
    ]);
    expect(reasons).toEqual([
      { about: 'worker "a"', reason: 'it is paused: bbx worker resume a', since: null },
      { about: 'worker "b"', reason: 'it lacks tag "linux"', since: null },
    ]);
  });
});

describe('whyBuild', () => {
  const facts: BuildFacts = {
    builder: 'app',
    number: 3,
    worker: 'w',
    attempt: 1,
    state: 'failed test',
    result: 'failure',
    reason: 'scheduler push',
    submittedAt: 100,
    startedAt: 130,
    completeAt: 160,
    lostAt: null,
    links: [],
    troubles: [],
    cancelReason: null,
    steps: [
      { number: 0, name: 'git', result: 'success', state: 'finished', startedAt: 131, completeAt: 132 },
      { number: 1, name: 'test', result: 'failure', state: 'exit code 2', startedAt: 132, completeAt: 150 },
      { number: 2, name: 'tidy', result: 'success', state: 'finished', startedAt: 150, completeAt: 151 },
    ],
  };

  it('names what asked for it, the queue, and the step that decided', () => {
    expect(whyBuild(facts)).toEqual({
      subject: 'app/3',
      summary: 'Build app/3 ended as failure (step "test": exit code 2)',
      reasons: [
        { about: 'request', reason: 'scheduler push', since: 100 },
        { about: 'worker "w"', reason: 'took it 30s after it was asked for', since: 130 },
        { about: 'step 1 "test"', reason: 'failure: exit code 2', since: 150 },
        { about: 'end', reason: 'failure after 30s', since: 160 },
      ],
    });
  });

  it('says when a build that was cancelled ended, and of one that still runs no end', () => {
    const cancelled = { ...facts, result: 'cancelled' as const, cancelReason: 'by me', steps: [] };
    const cancel = { about: 'cancel', reason: 'by me', since: null };
    expect(whyBuild(cancelled).reasons.slice(-2)).toEqual([
      cancel,
      { about: 'end', reason: 'cancelled after 30s', since: 160 },
    ]);
    expect(whyBuild({ ...cancelled, result: null, completeAt: null }).reasons.at(-1)).toEqual(cancel);
  });

  it('names a lost link, and what each side saw of it', () => {
    const link = {
      ...{
        lost_at: 120,
        back_at: 122.1,
        seconds: 2.1,
        cause: 'address-changed' as const,
        from: 'a',
        to: 'b',
      },
      ...{ words: "worker's address changed from a to b, nothing lost", closed_by: 'nobody' as const },
      ...{ code: 1006, tries: 0, master: 'the connection was gone', worker: null, clock_ahead: 0 },
    };
    const { reasons } = whyBuild({ ...facts, links: [link] });
    expect(reasons.filter(({ about }) => about.startsWith('link'))).toEqual([
      { about: 'link', reason: `lost for 2.1 s: ${link.words}`, since: 120 },
      { about: 'link, seen by the master', reason: 'the connection was gone', since: 120 },
      { about: 'link, seen by the worker', reason: 'it has not told what it saw', since: 120 },
    ]);
  });

  it('names the full disk that holds a build, or a request, up', () => {
    const disk = { subject: 'log files', message: 'no space is left', since: 140 };
    const held = { about: 'held up by log files', reason: 'no space is left', since: 140 };
    expect(whyBuild({ ...facts, result: null, completeAt: null, troubles: [disk] }).reasons).toContainEqual(
      held,
    );
    expect(whyRequest(request({ storeTrouble: disk }), []).reasons).toContainEqual(held);
  });

  it('says where a running build is, and that a lost worker is waited for', () => {
    const running = {
      ...facts,
      result: null,
      completeAt: null,
      steps: [{ ...facts.steps[1]!, result: null, completeAt: null }],
    };
    expect(whyBuild(running).summary).toBe('Build app/3 runs on worker "w", in step "test"');
    expect(whyBuild({ ...running, lostAt: 140 }).summary).toBe(
      'Build app/3 waits for its worker "w" to come back',
    );
  });
});

describe('whyChange', () => {
  const scheduler = (over: Partial<SchedulerFacts> = {}): SchedulerFacts => ({
    name: 'push',
    refusal: undefined,
    nextAt: null,
    waitsFor: undefined,
    requests: [],
    builders: ['app'],
    ...over,
  });
  const facts = (schedulers: SchedulerFacts[], over: Partial<ChangeFacts> = {}): ChangeFacts => ({
    subject: 'c5',
    change: { changeid: 5, repository: 'app', branch: 'topic', revision: 'abcdef0123456789', receivedAt: 90 },
    repository: 'app',
    poll: { polledAt: 95, error: null },
    pollMs: 60_000,
    schedulers,
    ...over,
  });

  it.each<[SchedulerFacts, string]>([
    [
      scheduler({ refusal: 'branch "topic" fits none of its branches (main)' }),
      'branch "topic" fits none of its branches (main)',
    ],
    [scheduler({ waitsFor: 'treeStableTimer', nextAt: 107 }), 'its tree-stable timer has 7s left'],
    [scheduler({ waitsFor: 'cron', nextAt: 3_700 }), 'it waits for its time, in 60m'],
    [
      scheduler({ requests: [{ id: 8, builder: 'app', result: null, claimed: true }] }),
      'it fired: r8 for "app" (running)',
    ],
    [scheduler(), 'it was not there, or had other branches, when the change came'],
  ])('of scheduler %j says "%s"', (given, reason) => {
    expect(whyChange(facts([given]), 100).reasons[1]).toEqual({
      about: 'scheduler "push"',
      reason,
      since: null,
    });
  });

  it.each<[ChangeFacts['poll'], string]>([
    [{ polledAt: 95, error: null }, 'last polled 5s ago, every 1m'],
    [{ polledAt: 95, error: 'refused' }, 'last polled 5s ago, every 1m, and that failed: refused'],
    ['never', 'it has not been polled yet, every 1m'],
    ['not polled', 'it is not polled: changes come by "bbx change send" only'],
  ])('of poll %j says "%s"', (poll, reason) => {
    expect(whyChange(facts([], { poll }), 100).reasons[0]?.reason).toBe(reason);
  });
});

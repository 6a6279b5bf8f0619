import { describe, expect, it } from 'vitest';
import type { BuildObject, FarmEvent } from '../../../src/api/objects.ts';
import type { Mercy } from '../../../src/drill/fault.ts';
import type { Result } from '../../../src/build/results.ts';
import { checkEvents } from '../../../src/drill/checks/events.ts';
import { checkRequest } from '../../../src/drill/checks/results.ts';
import { aBuild, aRequest, aStep } from '../../rigs/api-objects.ts';

const ended = (result: Result, of: Partial<BuildObject> = {}) =>
  aBuild({ builder: 'quick', result, steps: [aStep()], ...of });

function check(
  result: Result | null,
  builds: BuildObject[],
  {
    mercy = 'untouched',
    hit = [],
    cancelled = [],
  }: { mercy?: Mercy; hit?: string[]; cancelled?: number[] } = {},
) {
  const request = aRequest({ builder: 'quick', complete: result !== null, result });
  return checkRequest(request, builds, { mercy, hit, cancelled: new Set(cancelled) });
}

describe('a request after a round', () => {
  it('is right when its one build ended as it must', () => {
    expect(check('success', [ended('success')])).toEqual({ wrong: [], lost: false });
  });

  it.each<[string, Result | null, BuildObject[], RegExp, boolean]>([
    ['that never ended', null, [ended('success')], /is not complete/, true],
    ['that is red without a reason', 'failure', [ended('failure')], /ended as failure/, true],
    ['that was cancelled by nobody', 'cancelled', [ended('cancelled')], /ended as cancelled/, true],
    ['that was never built', 'success', [], /was never built/, false],
    ['whose build says something else', 'success', [ended('failure')], /its last build as failure/, false],
    [
      'whose first attempt was given up though its worker was not hit',
      'success',
      [ended('retry'), ended('success', { number: 13 })],
      /had begun and was given up/,
      false,
    ],
    [
      'with two builds that ended',
      'success',
      [ended('success'), ended('success', { number: 13 })],
      /is not the last/,
      false,
    ],
    [
      'with a log that goes on',
      'success',
      [ended('success', { steps: [aStep({ logs: [{ ...aStep().logs[0]!, complete: false }] })] })],
      /its log is not complete/,
      false,
    ],
  ])('is wrong %s', (_, result, builds, sentence, lost) => {
    const verdict = check(result, builds);
    expect(verdict.wrong.join()).toMatch(sentence);
    expect(verdict.lost).toBe(lost);
  });

  it('may have what its fault allows on the workers that were hit, and there alone', () => {
    const twice = [ended('retry'), ended('success', { number: 13 })];
    expect(check('success', twice, { mercy: 'givenUp', hit: ['w1'] }).wrong).toEqual([]);
    expect(check('success', twice, { mercy: 'givenUp', hit: ['w2'] }).wrong).not.toEqual([]);
    expect(check('exception', [ended('exception')], { mercy: 'interrupted', hit: ['w1'] }).wrong).toEqual([]);
    expect(check('exception', [ended('exception')], { mercy: 'givenUp', hit: ['w1'] }).lost).toBe(true);
    expect(check('cancelled', [ended('cancelled')], { cancelled: [17] }).wrong).toEqual([]);
  });
});

describe('what a watcher has heard of a round', () => {
  const build = ended('success', { buildid: 4 });
  const request = aRequest({ builder: 'quick' });
  const events: FarmEvent[] = [
    { type: 'request.submitted', buildrequestid: 17, builder: 'quick' },
    { type: 'build.started', buildid: 4, builder: 'quick', number: 12, worker: 'w1', buildrequestid: 17 },
    { type: 'step.started', buildid: 4, stepid: 1, number: 0, name: 'test' },
    { type: 'build.lost', buildid: 4, builder: 'quick', number: 12, worker: 'w1' },
    { type: 'step.finished', buildid: 4, stepid: 1, number: 0, results: 0 },
    { type: 'build.finished', buildid: 4, builder: 'quick', number: 12, results: 0, buildrequestid: 17 },
    { type: 'request.finished', buildrequestid: 17, builder: 'quick', results: 0 },
  ];
  const heard = (list: FarmEvent[]) => list.map((event, index) => ({ id: index + 1, event }));

  it('is right when everything came once and in order', () => {
    expect(checkEvents(heard(events), [request], [build])).toEqual([]);
  });

  it.each(
    events.map((event, index) => [event.type, index] as const).filter(([type]) => type !== 'build.lost'),
  )('is wrong without its %s, and with two of it', (_, index) => {
    // A step that the master ended has no end of its own: the one case in which an event may be missing.
    if (events[index]?.type !== 'step.finished')
      expect(checkEvents(heard(events.toSpliced(index, 1)), [request], [build])).not.toEqual([]);
    const twice = events.toSpliced(index, 0, events[index] as FarmEvent);
    expect(checkEvents(heard(twice), [request], [build])).not.toEqual([]);
  });

  it('is wrong when numbers do not rise', () => {
    const mixed = heard(events).map((one, index) => (index === 2 ? { ...one, id: 2 } : one));
    expect(checkEvents(mixed, [request], [build]).join()).toMatch(/event 2 was heard after 2/);
  });
});

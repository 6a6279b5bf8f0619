import { expect, it } from 'vitest';
import type { ProgressEvent } from '../../../../src/build/progress.ts';
import { courseOf, goOn } from '../../../../src/runtime/master/course.ts';

const begin: ProgressEvent = { type: 'buildStarted', at: 1, workdir: '/w' };
const start = (step: number): ProgressEvent => ({ type: 'stepStarted', at: 1, step, name: 's' });
const end = (step: number): ProgressEvent => ({
  ...{ type: 'stepFinished', at: 1, step, results: 0, state: '', logs: [] },
  ...{ rc: 0, signal: null, properties: {} },
});
const over: ProgressEvent = { type: 'buildFinished', at: 1, results: 0, state: '' };

it.each<[string, ProgressEvent[], string | undefined]>([
  ['a build of two steps', [begin, start(0), end(0), start(1), end(1), over], undefined],
  ['an end in the middle of a step', [begin, start(0), over], undefined],
  ['a second beginning', [begin, begin], 'the beginning of a build that has begun'],
  ['a step that the plan does not have', [begin, start(2)], 'step 2 of a build with 2 steps'],
  ['a step twice', [begin, start(0), end(0), start(0)], 'step 0 a second time'],
  ['the end of a step that never began', [begin, end(1)], 'the end of step 1, which does not run'],
  ['the end of a step twice', [begin, start(0), end(0), end(0)], 'the end of step 0, which does not run'],
])('what a worker says of %s', (_, events, complaint) => {
  const course = courseOf(0, []);
  const said = events.map((event, index) => goOn(course, index + 1, event, 2));
  expect(said.pop()).toBe(complaint);
  expect(said.every((one) => one === undefined)).toBe(true);
});

it('events that come again after a lost link are not looked at twice, and those of a former master are known by the rows', () => {
  const course = courseOf(3, [
    { number: 0, complete_at: 5 },
    { number: 1, complete_at: null },
  ]);
  expect(goOn(course, 3, end(0), 2)).toBeUndefined();
  expect(goOn(course, 4, end(1), 2)).toBeUndefined();
});
